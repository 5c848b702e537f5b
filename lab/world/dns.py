"""Servers of names: what each answers to which name. Knows no protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.dns.results import Answer
from house.values.dns import DnsServer, is_address

SOMEWHERE = "192.0.2.80"
"""Where a name leads of which only an answer is wanted (an address for documents, RFC 5737)."""


@dataclass
class LabDns:
    """All servers that a house asks. `zones`: server's name in the settings → name → its answer; one that is lacking is not there.

    `silent` are servers that answer nothing, `failing` those that say SERVFAIL.
    """

    zones: dict[str, dict[str, Answer]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)

    @classmethod
    def on(cls, servers: Iterable[DnsServer]) -> LabDns:
        """Each answers as the house wants it."""
        return cls({server.name: dict(_wanted(server)) for server in servers})


def _wanted(server: DnsServer) -> Iterable[tuple[str, Answer]]:
    for one in server.names:
        if one.wanted is None:
            yield one.name, Answer((SOMEWHERE,))
        elif one.wanted and is_address(one.wanted[0]):
            yield one.name, Answer(tuple(sorted(one.wanted)))
        elif one.wanted:
            yield one.name, Answer((SOMEWHERE,), one.wanted)
