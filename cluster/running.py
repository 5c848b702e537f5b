"""Whether the application runs on the claim that came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.standing import standing
from cluster.hold.suspension import kustomization_of
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Running(BaseCheck):
    """Every workload that mounts the claim has its pods ready. With `held_may_rest` that of a held claim need not run: where no
    run of today lets it go there may be nothing yet for it to mount."""

    house: House
    claim: BackedUpClaim
    after: tuple[str, ...] = ()
    held_may_rest: bool = False

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.running/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"application of {self.claim.key} runs"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after or (f"recovery.populate/{self.claim.key}",)

    @property
    def sight_s(self) -> float:
        return self.house.limits.release_s

    def probe(self, look: LookContext) -> Probe:
        workloads = look.cluster.workloads(self.claim.namespace, self.claim.claim)
        late = tuple(f"{w.kind} {w.name}: {w.ready} of {w.wanted} ready" for w in workloads if w.ready < w.wanted)
        if self.held_may_rest and (late or not workloads) and standing(look.hold, look.claims, self.claim).held:
            return satisfied("held: it waits for its restore, or its release")
        if late:
            return changing("the application is not ready yet", *late)
        if not workloads:
            flux = kustomization_of(look.flux, self.claim)
            if flux is not None and not flux.ready and not flux.suspended:
                return changing(f"no workload mounts the claim yet, and Flux is not done with {flux.key}", flux.message)
            return satisfied("no workload mounts the claim; nothing to start")
        return satisfied(f"{number(len(workloads), 'workload')} ready")

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get pods   # those of {self.claim.app} are ready"


def checks(
    house: House, claims: tuple[BackedUpClaim, ...], after: tuple[str, ...] = (), *, held_may_rest: bool = False
) -> Iterator[Running]:
    """One for every claim to restore; `after` what comes before it, where that is no restore."""
    for claim in claims:
        yield Running(house, claim, after, held_may_rest)
