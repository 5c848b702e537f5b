"""Keep the volume of a claim that is to be replaced: what a person turns back to when the replacement was no good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim
from recovery.points.kept import staying
from recovery.record import demand_replacing, entry_of, replaced


@dataclass(frozen=True)
class KeepOld(BaseStep):
    """The volume outlives its claim, whatever its class says. Nothing is copied: it is the very volume that was in use."""

    claim: BackedUpClaim

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.keep-old/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"old volume of {self.claim.key} kept"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.stop-app/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, self.claim)
        if entry is None:
            return unknown("not in the hold's record")
        found = staying(look.kept, entry.replaces)
        if found is not None:
            return satisfied(f"volume {found.name} stays; to have it back: invoke dr.undo {self.claim.key}")
        if replaced(look.claims, entry, self.claim):
            return satisfied("the claim is gone already, and nothing is kept of it")
        return missing(f"the volume of claim uid {entry.replaces or 'none'} would go with it")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = demand_replacing(act.hold, self.claim, "replaced")
        act.kept.keep(self.claim.namespace, self.claim.claim, entry.replaces)

    def by_hand(self) -> str:
        patch = '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
        volume = f"$(kubectl -n {self.claim.namespace} get pvc {self.claim.claim} -o jsonpath='{{.spec.volumeName}}')"
        return f"kubectl patch pv {volume} --type merge -p '{patch}'"


def steps(claims: tuple[BackedUpClaim, ...]) -> Iterator[KeepOld]:
    """One for every claim that is to be replaced."""
    for claim in claims:
        yield KeepOld(claim)
