"""Let Flux and the application go on after the old claim is gone: Flux makes the claim anew, VolSync fills it from the proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.volsync.results import ClaimPhase
from cluster.hold.suspension import kustomization_of, refuse_foreign, resting, start_again, suspend_by_hand
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim


@dataclass(frozen=True)
class StartApp(BaseStep):
    """Flux not suspended by us, the workloads as many as before, and the claim there again."""

    claim: BackedUpClaim
    after: tuple[str, ...] = ()
    ready_s = 600.0

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.start-app/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"application of {self.claim.key} may start"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after or (f"recovery.delete-claim/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        stopped = [workload.name for workload in resting(look.cluster, self.claim)]
        flux = kustomization_of(look.flux, self.claim)
        if stopped or (flux is not None and flux.ours):
            return missing("not started yet", *stopped)
        if look.claims.claim(self.claim.namespace, self.claim.claim).phase is ClaimPhase.ABSENT:
            refuse_foreign(flux, self.claim)
            return missing("Flux has not made the claim again")
        if flux is not None and flux.suspended:
            return satisfied(f"the application may start; {flux.key} was suspended by somebody else, and stays so")
        return satisfied("Flux goes on, the application may start")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        start_again(act, self.claim)

    def by_hand(self) -> str:
        resumed = suspend_by_hand(self.claim.flux_app, on=False)
        return f"{resumed} && kubectl -n {self.claim.namespace} scale deploy APP --replicas=N"


def steps(claims: tuple[BackedUpClaim, ...], after: tuple[str, ...] = ()) -> Iterator[StartApp]:
    """One for every claim that is to be replaced; `after` what comes before it, where that is no restore."""
    for claim in claims:
        yield StartApp(claim, after)
