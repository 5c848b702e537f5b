"""Stop one application in a house that is to be switched off, or whose backups are to hold still; its data stay where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.hold.checkpoint_mark import take_off
from cluster.hold.standing import standing
from cluster.hold.suspension import kustomization_of, suspend_by_hand
from cluster.machines.vms import unless_off
from cluster.order import waited_for
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class RestApp(BaseStep):
    """No pod has the claim open, and Flux starts none. How it was stays on the workloads; one that is held is its restore's."""

    house: House
    claim: BackedUpClaim
    needs: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"stop.app/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"application of {self.claim.key} at rest"

    @property
    def inputs(self) -> str:
        return self.claim.key

    @property
    def ready_s(self) -> float:
        return self.house.limits.release_s

    def hazard(self, seen: Probe) -> Hazard:
        # The consent to it is to the switching off of the house, or to a checkpoint: whichever the course begins with.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext | ActContext) -> Probe:
        told = "it cannot be scaled any more, and ends with its node"
        return unless_off(look, self.house, lambda: self._seen(look), told)

    def _seen(self, look: LookContext | ActContext) -> Probe:
        if standing(look.hold, look.claims, self.claim).held:
            return satisfied("held: it is left as its restore has it, and ends with its node")
        there = look.cluster.workloads(self.claim.namespace, self.claim.claim)
        # One that is stopped wants some where its operator scaled it back, and has some until its controller has seen that.
        awake = [w for w in there if w.resting is None or w.wanted or w.pods]
        flux = kustomization_of(look.flux, self.claim)
        if awake:
            return missing("it runs", *(f"{w.kind} {w.name}, {w.wanted} wanted" for w in awake))
        if flux is not None and not flux.suspended:
            return missing(f"Flux would start it again: {flux.key} is not suspended")
        if not there:
            return satisfied("no workload mounts it")
        return satisfied("no pod has the claim open")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        take_off(act.claims, self.claim)  # it has run since an earlier checkpoint: what that saved is not all any more
        flux = kustomization_of(act.flux, self.claim)
        if flux is not None:
            act.flux.suspend(flux.namespace, flux.name, on=True)
        for workload in act.cluster.workloads(self.claim.namespace, self.claim.claim):
            act.cluster.rest(workload)

    def by_hand(self) -> str:
        return f"{suspend_by_hand(self.claim.flux_app, on=True)} && kubectl -n {self.claim.namespace} scale deploy APP --replicas=0"


def steps(house: House, claims: tuple[BackedUpClaim, ...], after: tuple[str, ...] = ()) -> Iterator[RestApp]:
    """One for every claim, whoever waits for another one first; `after` what comes before all of them."""
    order = waited_for(house, claims)
    for claim in claims:
        first = tuple(f"stop.app/{one.key}" for one in claims if any(other.key == claim.key for other in order[one.key]))
        yield RestApp(house, claim, (*after, *first))
