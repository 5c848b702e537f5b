"""The port of a Ceph's flags: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.ceph.results import OsdFlags


class FlagsView(Protocol):
    """Flags of the whole OSD map, of each Ceph that Rook runs in the cluster; not of one that it only knows."""

    def flags(self) -> tuple[OsdFlags, ...]:
        """By namespace and name; a Ceph that gives no answer is one of them, and says why. None where Rook runs none."""


class Flags(FlagsView, Protocol):
    """Adds what sets them and lets them go."""

    def put(self, namespace: str, name: str, flags: tuple[str, ...]) -> None:
        """Set these under our mark, which is written first; what is set already, and not by us, is nobody's but its setter's."""

    def drop(self, namespace: str, name: str) -> None:
        """Let those go that bear our mark, and then the mark."""
