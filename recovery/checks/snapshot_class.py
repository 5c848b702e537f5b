"""Whether the VolumeSnapshotClass that a destination names is there: without it VolSync is waited for in vain."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseCheck, StepId
from house.data.snapshot_classes import SnapshotClasses, snapshot_classes
from house.files.problems import nearest_or_all
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class SnapshotClassThere(BaseCheck):
    """The class by the name that Git gives the destination of one claim. What Git itself brings may come yet."""

    claim: BackedUpClaim
    name: str
    classes: SnapshotClasses

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.snapshot-class/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"snapshot class of {self.claim.key}'s destination"

    def probe(self, look: LookContext) -> Probe:
        there = look.trials.look().snapshot_classes
        if self.name in there:
            return satisfied(self.name)
        if self.name in self.classes.made:
            return changing(f"VolumeSnapshotClass {self.name} is not there yet: Flux has not brought it")
        return missing(
            f"there is no VolumeSnapshotClass {self.name}: no restore of {self.claim.key} would end in an image",
            f"ReplicationDestination {self.claim.namespace}/{self.claim.destination} names it",
            hint=f"correct the name in Git, or add the class: {nearest_or_all(self.name, sorted(there))}",
        )

    def by_hand(self) -> str:
        return f"kubectl get volumesnapshotclasses.snapshot.storage.k8s.io {shlex.quote(self.name)}   # it is there"


def checks(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[SnapshotClassThere]:
    """One for every claim to restore whose destination names a class."""
    classes = snapshot_classes(house.rendered)
    of = {one.subject: one.name for one in classes.by_subject}
    for claim in claims:
        name = of.get(f"ReplicationDestination {claim.namespace}/{claim.destination}")
        if name is not None:
            yield SnapshotClassThere(claim, name, classes)
