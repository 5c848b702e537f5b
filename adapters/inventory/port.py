"""The port of what a cluster keeps and where: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from house.known.inventory import Stores


class InventoryView(Protocol):
    """Volumes, and what makes them, by the names that outlive the cluster; read-only."""

    def look(self) -> Stores:
        """All of it, without a date. What VolSync makes for one of its own runs, and what we look at aside, is left out."""
