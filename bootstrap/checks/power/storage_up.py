"""Whether every storage system that the cluster has is fit for applications to start on it again. Knows no system by name."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.storage.findings import Weight, probe_of
from cluster.storage.kinds import storage_checks
from cluster.storage.row import asked
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class StorageUp(BaseCheck):
    """Nothing of it blocks. After a start of all nodes storage needs its time: what blocks is waited for."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("start.storage")
    title = "storage is fit for applications"

    @property
    def sight_s(self) -> float:
        return self.house.limits.release_s

    def probe(self, look: LookContext) -> Probe:
        rows = tuple(storage_checks(look, self.house))
        if not rows:
            return satisfied("no storage system that is looked at here")
        found = tuple(finding for row in rows for finding in asked(look, row))
        seen = probe_of(found)
        heavy = [one for one in found if one.weight is Weight.BLOCKS]
        if heavy:
            return changing(f"{number(len(heavy), 'finding')} in the way: {seen.detail}", *seen.evidence, hint=seen.hint)
        return seen

    def by_hand(self) -> str:
        return "invoke cluster.storage"


def check(house: House, needs: tuple[str, ...]) -> StorageUp:
    """The check of this house."""
    return StorageUp(house, needs)
