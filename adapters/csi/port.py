"""The port of what makes volumes in the cluster: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.csi.results import CsiLook


class CsiView(Protocol):
    """Drivers and pools, read-only."""

    def look(self) -> CsiLook: ...
