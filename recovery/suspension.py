"""Whether Flux may make an application's objects again, and who said that it may not. Knows no custom resource."""

from __future__ import annotations

from adapters.flux.results import SUSPENDED, KustomizationState
from adapters.ports import FluxView
from cluster.by_hand import json_by_hand
from engine.errors import PermanentError
from house.model import BackedUpClaim


def kustomization_of(flux: FluxView, claim: BackedUpClaim) -> KustomizationState | None:
    """The Kustomization that makes this claim; None when Flux has none of that name."""
    return next((k for k in flux.state().kustomizations if k.key == claim.flux_app), None)


def refuse_foreign(found: KustomizationState | None, claim: BackedUpClaim) -> None:
    """PermanentError when somebody else has suspended it: it stays so, and the claim, once deleted, would never come back."""
    if found is not None and found.suspended and not found.ours:
        raise PermanentError(
            f"Kustomization {found.key} is suspended, not by us, and stays so",
            evidence=(f"{claim.key} is not replaced: suspended, Flux would not make the claim again once it is deleted",),
            hint=f"to go on: flux -n {found.namespace} resume kustomization {found.name}, and run the same again",
        )


def suspend_by_hand(claim: BackedUpClaim, *, on: bool) -> str:
    """The command that suspends under our mark, or takes both away: what is done by hand here, a run goes on from."""
    namespace, _, name = claim.flux_app.partition("/")
    patch = {"metadata": {"annotations": {SUSPENDED: "true" if on else None}}, "spec": {"suspend": True if on else None}}
    return f"kubectl -n {namespace} patch kustomizations.kustomize.toolkit.fluxcd.io {name} --type merge -p {json_by_hand(patch)}"
