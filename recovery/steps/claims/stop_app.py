"""Stop the application whose claim is to be replaced, and Flux from starting it: only once the replacement is proven,
or once the volume that comes back is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.hold.suspension import kustomization_of, refuse_foreign, suspend_by_hand
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import BackedUpClaim
from recovery.record import entry_of, replaced


@dataclass(frozen=True)
class StopApp(BaseStep):
    """No pod has the claim open, and Flux starts none; how many there were stays on the workloads, who suspended on Flux's side."""

    claim: BackedUpClaim
    after: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.stop-app/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"application of {self.claim.key} stopped"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after or (f"recovery.hold-again/{self.claim.key}", f"recovery.prove/{self.claim.key}")

    @property
    def inputs(self) -> str:
        return self.claim.key

    def hazard(self, seen: Probe) -> Hazard:
        # The consent was given to hold-again (or to an undo's first step), which named the claim by its uid.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        if replaced(look.claims, entry_of(look.hold, self.claim), self.claim):
            return satisfied("the claim is replaced already")
        flux = kustomization_of(look.flux, self.claim)
        refuse_foreign(flux, self.claim)
        there = look.cluster.workloads(self.claim.namespace, self.claim.claim)
        # One that is stopped wants some where its operator scaled it back, and has some until its controller has seen that.
        awake = [w for w in there if w.resting is None or w.wanted or w.pods]
        if awake:
            return missing("it runs", *(f"{w.kind} {w.name}" for w in awake))
        if flux is not None and not flux.suspended:
            return missing(f"Flux would start it again: {flux.key} is not suspended")
        return satisfied("no pod has the claim open")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        flux = kustomization_of(act.flux, self.claim)
        refuse_foreign(flux, self.claim)
        if flux is not None:
            act.flux.suspend(flux.namespace, flux.name, on=True)
        for workload in act.cluster.workloads(self.claim.namespace, self.claim.claim):
            act.cluster.rest(workload)

    def by_hand(self) -> str:
        return f"{suspend_by_hand(self.claim.flux_app, on=True)} && kubectl -n {self.claim.namespace} scale deploy APP --replicas=0"


def steps(claims: tuple[BackedUpClaim, ...], after: tuple[str, ...] = ()) -> Iterator[StopApp]:
    """One for every claim that is to be replaced; `after` what comes before it, where that is no restore."""
    for claim in claims:
        yield StopApp(claim, after)
