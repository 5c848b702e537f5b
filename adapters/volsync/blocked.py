"""What keeps a sync that VolSync calls `in progress` for as long as it waits: the words of what it waits for, never its own.

It makes a Job, a claim and a VolumeSnapshot of its own for each sync, and says nothing of what becomes of them: a class of
snapshots that is not there, an image that cannot be pulled, a volume that is not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CLAIM, JOB, POD, SNAPSHOT
from adapters.kubernetes.objects import Obj, name_of, rows, text
from adapters.volsync.readerjob import waiting_for, warning_about
from engine.errors import PermanentError


def blocked_by(client: ApiClient, found: Obj) -> str:
    """Of a source or a destination that is under way; "" where nothing is said. Of one whose mover runs nothing else is asked: it
    has what it waited for, and the snapshot of what it restores is not asked for yet."""
    namespace = text(found, "metadata", "namespace")
    movers = list(_movers(client, namespace, found))
    if any(text(pod, "status", "phase") == "Running" for _, pods in movers for pod in pods):
        return "; ".join(_waiting(client, namespace, movers))
    told = (*_snapshots(client, namespace, found), *_waiting(client, namespace, movers), *_claims(client, namespace, found))
    return "; ".join(dict.fromkeys(told))


def _own(found: Obj, objects: list[Obj]) -> list[Obj]:
    uid = text(found, "metadata", "uid")
    return [one for one in objects if any(text(owner, "uid") == uid for owner in rows(one, "metadata", "ownerReferences"))]


def _movers(client: ApiClient, namespace: str, found: Obj) -> Iterator[tuple[str, list[Obj]]]:
    """Its Jobs by their names, and the pods of each."""
    for job in _own(found, client.list_objects(JOB, namespace)):
        yield name_of(job), client.list_objects(POD, namespace, labels=f"job-name={name_of(job)}")


def _snapshots(client: ApiClient, namespace: str, found: Obj) -> Iterator[str]:
    for one in _own(found, client.list_if_served(SNAPSHOT, namespace) or []):
        if message := text(one, "status", "error", "message"):
            yield f"VolumeSnapshot {name_of(one)}: {message}"


def _waiting(client: ApiClient, namespace: str, movers: Iterable[tuple[str, list[Obj]]]) -> Iterator[str]:
    for job, pods in movers:
        try:
            words = waiting_for(client, namespace, job, pods)
        except PermanentError as error:
            words = "; ".join(error.evidence) or error.what
        if words:
            yield f"pod of {job}: {words}"


def _claims(client: ApiClient, namespace: str, found: Obj) -> Iterator[str]:
    for claim in _own(found, client.list_objects(CLAIM, namespace)):
        if text(claim, "status", "phase") == "Pending" and (words := warning_about(client, namespace, claim)):
            yield f"claim {name_of(claim)}: {words}"
