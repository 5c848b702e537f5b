"""The port of a NAS: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.nas.results import NasLook
from house.values.nas import Nas


class NasView(Protocol):
    """What stands under data on a NAS, read-only."""

    def look(self, nas: Nas) -> NasLook:
        """Everything that is asked of it, as one look of the last seconds. What could not be seen is in it; nothing is raised."""
