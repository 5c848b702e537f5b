"""Write the PersistentVolume that a claim had in a lost cluster again: to stay, and for no claim but one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.kept.results import aside_of
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from recovery.points.survivors import Survivor, volume_of


@dataclass(frozen=True)
class BringSurvivor(BaseStep):
    """The cluster has the volume again as an object. Nothing is mounted, and its storage is not asked."""

    survivor: Survivor
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"survivor.bring/{self.survivor.claim.key}")

    @property
    def title(self) -> str:
        return f"volume of before of {self.survivor.claim.key} written again"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("hold.in-place", if_any(f"hold.declare/{self.survivor.claim.key}"))

    @property
    def inputs(self) -> str:
        return f"{self.survivor.claim.key} {self.survivor.volume.name} {self.survivor.volume.driver} {self.survivor.volume.handle}"

    def probe(self, look: LookContext) -> Probe:
        found, record = volume_of(look, self.survivor), self.survivor.volume
        if found is None:
            return missing(f"{record.driver} {record.handle} is not in the cluster")
        return satisfied(f"volume {found.name} is {found.state.value}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.kept.bring(self.survivor.volume, self.survivor.since)

    def by_hand(self) -> str:
        name, claim = self.survivor.volume.name, self.survivor.claim
        return (
            f"kubectl create -f volume.yaml   # PersistentVolume {name} as the inventory has it, its persistentVolumeReclaimPolicy "
            f"Retain and its claimRef {claim.namespace}/{aside_of(claim.claim)}"
        )


def steps(survivors: tuple[Survivor, ...]) -> Iterator[BringSurvivor]:
    """One for every volume that may have outlived the cluster."""
    for one in survivors:
        yield BringSurvivor(one)
