"""Whether something is suspended in Flux that Git does not suspend: what is written to Git then never reaches the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.flux import resume_by_hand
from cluster.hold.holding import still_held
from engine.probe import Probe, changing, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Suspensions(BaseCheck):
    """None but what Git asks for, and what a restore that is under way has suspended. A run leaves them as they are."""

    house: House
    id = StepId("flux.suspensions")
    title = "nothing is suspended but by Git"
    severity = Severity.WATCHED
    needs = ("flux.reconcile",)

    def probe(self, look: LookContext) -> Probe:
        state = look.flux.state()
        if not state.installed:
            return changing("Flux is not running yet")
        # The root Kustomization bears the source's name. What only other repositories declare is theirs to suspend.
        declared = {state.source.name: False} | {app.key: app.suspended for app in self.house.flux_apps}
        restored = self._restored(look)
        found = [("gitrepository", state.source.name, "")] if state.source.suspended else []
        for k in state.kustomizations:
            if k.suspended and not declared.get(k.key, True) and not (k.ours and k.key in restored):
                found.append(("kustomization", k.key, ", by a restore that is over" if k.ours else ""))
        if not found:
            return satisfied("none")
        told = number(len(found), "object of Flux is suspended", "objects of Flux are suspended")
        kind, key, _ = found[0]
        return drifted(
            f"{told}, and Git does not say so", *(f"{kind} {key}{whose}" for kind, key, whose in found),
            hint=f"if nobody wants it: {resume_by_hand(kind, key)}",
        )  # fmt: skip

    def _restored(self, look: LookContext) -> frozenset[str]:
        """Kustomizations of the claims that the record says are on their way back."""
        on_the_way = {claim.key for claim in still_held(look.hold.record().claims)}
        return frozenset(claim.flux_app for claim in self.house.claims if claim.key in on_the_way)

    def by_hand(self) -> str:
        columns = "-o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,SUSPENDED:.spec.suspend"
        return f"kubectl get gitrepositories,kustomizations.kustomize.toolkit.fluxcd.io -A {columns}"


def check(house: House) -> Suspensions:
    """The check of this house."""
    return Suspensions(house)
