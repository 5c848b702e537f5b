"""Whether a claim's ReplicationDestination can be restored through at all, in Git's words and in the cluster's. Knows no step."""

from __future__ import annotations

from adapters.flux.results import FluxState
from engine.errors import PermanentError
from house.model import BackedUpClaim

SNAPSHOT = "Snapshot"


def no_image(claim: BackedUpClaim, copy_method: str) -> PermanentError:
    """What is wrong with a destination that VolSync makes no VolumeSnapshot of: no image to compare, none to fill a claim from."""
    return PermanentError(
        f"a restore of {claim.key} ends in no image: copyMethod of {claim.destination} is {copy_method or 'not set'}",
        evidence=(f"declared in {claim.declared_in}",),
        hint=f"right would be, in Git: ReplicationDestination {claim.destination} with `copyMethod: {SNAPSHOT}`",
    )


def refuse_never(flux: FluxState, claim: BackedUpClaim) -> None:
    """PermanentError when Flux will not make a destination that is not there: it has applied everything, or is suspended."""
    app = claim.destination_app or claim.flux_app
    found = next((k for k in flux.kustomizations if k.key == app), None)
    if found is None:
        return
    what = f"ReplicationDestination {claim.namespace}/{claim.destination} is not in the cluster"
    if found.suspended and not found.ours:
        raise PermanentError(
            f"{what}, and Kustomization {app}, which makes it, is suspended by somebody else",
            hint=f"to go on: flux -n {found.namespace} resume kustomization {found.name}, and run the same again",
        )
    if found.ready and not found.reconciling and found.commit and found.commit == flux.source.commit:
        again = f"flux -n {found.namespace} reconcile kustomization {found.name}"
        raise PermanentError(
            f"{what}, and Flux has applied all of Kustomization {app}",
            evidence=(f"applied: {found.commit[:12]}", f"declared in {claim.declared_in}"),
            hint=f"if a hand has deleted it: {again}; if it has left Git: declare it again, with `copyMethod: {SNAPSHOT}`",
        )
