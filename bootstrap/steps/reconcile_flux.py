"""Have Flux bring the cluster to the commit that was checked, and say the root causes when it does not get there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from bootstrap.needs import BEFORE_THE_CLUSTER, PUT_BACK
from cluster.flux import flux_probe, idle_parents, refuse_suspended_source
from engine.probe import Probe
from engine.step import BaseStep, Notes, StepId, if_any
from house.model import House


@dataclass(frozen=True)
class ReconcileFlux(BaseStep):
    """Every Kustomization ready at the checked commit or a descendant, but those that only wait for a held claim."""

    house: House
    system = "flux"
    id = StepId("flux.reconcile")
    title = "Flux reconciled"
    needs = (BEFORE_THE_CLUSTER, "preflight.kinds/flux", "helm.sync-release/*", if_any(PUT_BACK), "kubernetes.nodes")

    @property
    def ready_s(self) -> float:
        return self.house.limits.flux_s

    def probe(self, look: LookContext) -> Probe:
        return flux_probe(look, self.house)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        state = act.flux.state()
        parents = idle_parents(state, self.house)
        for key in parents:
            act.flux.request("Kustomization", *key.split("/", 1))
        if parents and state.source.suspended:
            return  # what was lost is made again from the commit that is there
        refuse_suspended_source(state)
        act.flux.request("GitRepository", self.house.flux.namespace, self.house.flux.name)

    def by_hand(self) -> str:
        flux = self.house.flux
        now = 'reconcile.fluxcd.io/requestedAt="$(date +%s)"'
        asked = f"kubectl -n {flux.namespace} annotate --overwrite gitrepository/{flux.name} {now}"
        return f"{asked} && kubectl get kustomizations.kustomize.toolkit.fluxcd.io -A --watch"


def steps(house: House) -> Iterator[ReconcileFlux]:
    """One for the house."""
    yield ReconcileFlux(house)
