"""What can be wrong with what servers of names answer, by name. Knows no house and no protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adapters.dns.results import Answer
from lab.troubles.seen import WITHIN_S
from lab.world.dns import LabDns

STALE = "192.0.2.13"
INSIDE, OUTSIDE = "inside", "outside"


@dataclass(frozen=True)
class DnsTrouble:
    """One named trouble; `server` is the one whose row tells of it, `says` a word of what it tells."""

    name: str
    what: str
    server: str
    says: str
    begin: Callable[[LabDns], None]
    seen_within_s: float = WITHIN_S


def _stale(server: str) -> Callable[[LabDns], None]:
    """The first name leads where it did once."""

    def act(dns: LabDns) -> None:
        zone = dns.zones[server]
        zone[next(iter(zone))] = Answer((STALE,))

    return act


def _gone(server: str) -> Callable[[LabDns], None]:
    """Somebody took the first record away."""

    def act(dns: LabDns) -> None:
        zone = dns.zones[server]
        del zone[next(iter(zone))]

    return act


def _leaks(dns: LabDns) -> None:
    """Outside answers what inside alone is to answer."""
    dns.zones[OUTSIDE] |= {name: answer for name, answer in dns.zones[INSIDE].items() if name not in dns.zones[OUTSIDE]}


def _all() -> Iterator[DnsTrouble]:
    kind = DnsTrouble
    yield kind("dns-inside-stale", "the house's own DNS leads a name to an old address", INSIDE, STALE, _stale(INSIDE))
    yield kind("dns-inside-silent", "the house's own DNS does not answer", INSIDE, "does not", lambda dns: dns.silent.add(INSIDE))
    yield kind("dns-outside-gone", "the public DNS has lost a record", OUTSIDE, "leads nowhere", _gone(OUTSIDE))
    yield kind("dns-outside-leaks", "the public DNS knows names of the house alone", OUTSIDE, "is not to be known", _leaks)
    yield kind("dns-outside-failing", "the public DNS says SERVFAIL", OUTSIDE, "SERVFAIL", lambda dns: dns.failing.add(OUTSIDE))


DNS_TROUBLES = {trouble.name: trouble for trouble in _all()}
