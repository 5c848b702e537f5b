"""Stops what runs on a claim by the field that its own controller reads, and lets it go on as it was. Knows no claim."""

from __future__ import annotations

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import POD, Kind
from adapters.kubernetes.objects import Obj, name_of, namespace_of, table, text
from adapters.kubernetes.results import Workload
from adapters.kubernetes.workloads import BY_FLUX, KINDS, RESTING, at_rest, awake
from engine.errors import PermanentError


def rest(client: ApiClient, workload: Workload) -> None:
    """See ports.Cluster. A pod of nobody is deleted where Flux makes it again; PermanentError for what would never come back."""
    kind = _kind_of(workload)
    found = client.get(kind, workload.name, workload.namespace)
    if found is None:
        return
    if kind is POD:
        _delete_pod(client, found)
        return
    spec, note = at_rest(kind, found)
    # What is stopped already may have been scaled back meanwhile; its note is of how it was before, and stays.
    noted = text(found, "metadata", "annotations", RESTING) or note
    client.merge(kind, workload.name, {"metadata": {"annotations": {RESTING: noted}}, "spec": spec}, workload.namespace)


def wake(client: ApiClient, workload: Workload) -> None:
    """See ports.Cluster."""
    if workload.resting is not None:
        kind = _kind_of(workload)
        patch = {"metadata": {"annotations": {RESTING: None}}, "spec": awake(kind, workload.resting)}
        client.merge(kind, workload.name, patch, workload.namespace)


def _kind_of(workload: Workload) -> Kind:
    kind = next((one for one in KINDS if one.name == workload.kind), None)
    if kind is None:
        raise PermanentError(
            f"{workload.kind} {workload.namespace}/{workload.name} cannot be stopped from here: it would start its pods again",
            hint="take its pods away from the claim by hand, by what that controller reads, then go on",
        )
    return kind


def _delete_pod(client: ApiClient, pod: Obj) -> None:
    if BY_FLUX not in table(pod, "metadata", "labels"):
        raise PermanentError(
            f"Pod {namespace_of(pod)}/{name_of(pod)} is not deleted: nothing would make it again",
            hint="no controller has made it, and Flux has not: take it away by hand, then go on",
        )
    client.delete(POD, name_of(pod), namespace_of(pod), uid=text(pod, "metadata", "uid"))
