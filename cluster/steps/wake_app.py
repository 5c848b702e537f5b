"""Let an application go on that was stopped with its house, as it was: its workloads, and Flux."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.hold.checkpoint_mark import marked, take_off
from cluster.hold.standing import standing
from cluster.hold.suspension import kustomization_of, resting, start_again, suspend_by_hand
from cluster.order import waited_for
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class WakeApp(BaseStep):
    """Nothing of it rests by our hand, and Flux is not suspended by us. What a restore keeps still stays still."""

    claim: BackedUpClaim
    needs: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"start.app/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"application of {self.claim.key} as it was"

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        if standing(look.hold, look.claims, self.claim).held:
            return satisfied("held: it goes on with its restore, or its release")
        stopped, flux = resting(look.cluster, self.claim), kustomization_of(look.flux, self.claim)
        if sources := marked(look.claims, self.claim):
            told = (f"ReplicationSource {name}, whose schedule is off" for name in sources)
            return missing("a checkpoint stands", *told)
        if stopped or (flux is not None and flux.ours):
            return missing("it rests", *(f"{w.kind} {w.name} had {w.resting}" for w in stopped))
        if flux is not None and flux.suspended:
            return satisfied(f"it may run; {flux.key} was suspended by somebody else, and stays so")
        return satisfied("nothing of it rests")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        take_off(act.claims, self.claim)  # before it writes anything
        start_again(act, self.claim)

    def by_hand(self) -> str:
        resumed = suspend_by_hand(self.claim.flux_app, on=False)
        return f"{resumed} && kubectl -n {self.claim.namespace} scale deploy APP --replicas=N"


def steps(house: House, claims: tuple[BackedUpClaim, ...], after: tuple[str, ...] = ()) -> Iterator[WakeApp]:
    """One for every claim, after those that it waits for; `after` what comes before all of them."""
    order = waited_for(house, claims)
    for claim in claims:
        yield WakeApp(claim, (*after, *(f"start.app/{one.key}" for one in order[claim.key])))
