"""What every row about one NAS is."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.storage.row import FoundRow, System
from house.values.nas import Nas


@dataclass(frozen=True)
class NasRow(FoundRow):
    """A row of this NAS; `findings`, id and title are the row's own."""

    nas: Nas

    @property
    def system(self) -> System:
        """One system for all of them."""
        return System(f"nas/{self.nas.name}", f"NAS {self.nas.name}")
