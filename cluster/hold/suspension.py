"""What keeps an application and its Flux still while a claim is replaced, who said so, how both go on. Knows no custom resource."""

from __future__ import annotations

from adapters.context import ActContext
from adapters.flux.results import SUSPENDED, KustomizationState
from adapters.hold.results import HeldClaim
from adapters.kubernetes.results import Workload
from adapters.kubernetes.workloads import KINDS, RESTING, SCALED, awake
from adapters.ports import ClusterView, FluxView
from cluster.by_hand import json_by_hand
from engine.errors import PermanentError
from house.model import BackedUpClaim


def kustomization_of(flux: FluxView, claim: BackedUpClaim | HeldClaim) -> KustomizationState | None:
    """The Kustomization that makes this claim; None when Flux has none of that name, or only the record knows the claim."""
    if isinstance(claim, HeldClaim):
        return None
    return next((k for k in flux.state().kustomizations if k.key == claim.flux_app), None)


def refuse_foreign(found: KustomizationState | None, claim: BackedUpClaim) -> None:
    """PermanentError when somebody else has suspended it: it stays so, and the claim, once deleted, would never come back."""
    if found is not None and found.suspended and not found.ours:
        raise PermanentError(
            f"Kustomization {found.key} is suspended, not by us, and stays so",
            evidence=(f"{claim.key} is not replaced: suspended, Flux would not make the claim again once it is deleted",),
            hint=f"to go on: flux -n {found.namespace} resume kustomization {found.name}, and run the same again",
        )


def demand_maker(flux: FluxView, claim: BackedUpClaim) -> None:
    """PermanentError unless Flux has the Kustomization that makes the claim again once it is deleted, and may go on with it."""
    found = kustomization_of(flux, claim)
    if found is None:
        raise PermanentError(
            f"Flux has no Kustomization {claim.flux_app}, which makes {claim.key}: once deleted, nobody would make it again",
            hint="Git declares it: let Flux reconcile what makes it first (invoke cluster.verify), then the same again",
        )
    refuse_foreign(found, claim)


def resting(cluster: ClusterView, claim: BackedUpClaim | HeldClaim) -> tuple[Workload, ...]:
    """The workloads that mount the claim and that a restore has stopped."""
    return tuple(w for w in cluster.workloads(claim.namespace, claim.claim) if w.resting is not None)


def start_again(act: ActContext, claim: BackedUpClaim | HeldClaim) -> None:
    """Take back what we have suspended and stopped, and nothing else: what somebody else suspended stays so."""
    flux = kustomization_of(act.flux, claim)
    if flux is not None:
        act.flux.suspend(flux.namespace, flux.name, on=False)
        act.flux.request("Kustomization", flux.namespace, flux.name)
    for workload in resting(act.cluster, claim):
        act.cluster.wake(workload)


def suspend_by_hand(kustomization: str, *, on: bool) -> str:
    """The command that suspends it (`namespace/name`) under our mark, or takes both away: a run goes on from either."""
    namespace, _, name = kustomization.partition("/")
    patch = {"metadata": {"annotations": {SUSPENDED: "true" if on else None}}, "spec": {"suspend": True if on else None}}
    return f"kubectl -n {namespace} patch kustomizations.kustomize.toolkit.fluxcd.io {name} --type merge -p {json_by_hand(patch)}"


def wake_by_hand(workload: Workload) -> str:
    """The commands that give a workload back what it had, and take our mark away."""
    name = f"{workload.kind.lower()}/{workload.name}"
    goes_on = f"kubectl -n {workload.namespace} scale {name} --replicas={workload.resting}"
    kind = next((one for one in KINDS if one.name == workload.kind), None)
    if kind is not None and kind not in SCALED:
        patch = {"spec": awake(kind, workload.resting or 0)}
        goes_on = f"kubectl -n {workload.namespace} patch {name} --type merge -p {json_by_hand(patch)}"
    return f"{goes_on} && kubectl -n {workload.namespace} annotate {name} {RESTING}-"
