"""Which names must be answered by which server of names, and how: split horizons are told apart by who is asked. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

PORT = 53


def is_address(text: str) -> bool:
    """Whether this is an address of either family."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class DnsName:
    """One name: `wanted` are the addresses, or the name, that it must lead to; () for none at all, None for any answer.

    `told` is where that is written.
    """

    name: str
    wanted: tuple[str, ...] | None
    told: str


@dataclass(frozen=True)
class DnsServer:
    """One server, by its name in the settings. `left` counts names of Git that hold a variable or a wildcard, and are not asked."""

    name: str
    host: str
    port: int
    names: tuple[DnsName, ...]
    left: int = 0
