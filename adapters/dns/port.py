"""The port of servers of names: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.dns.results import Answer


class DnsView(Protocol):
    """Questions to one server at a time; read-only."""

    def ask(self, host: str, port: int, name: str) -> Answer:
        """Where this server says that the name leads, IPv4 and IPv6. A name that it says is not there leads nowhere.

        TransientError for one that does not answer, or answers that it could not or would not say.
        """
