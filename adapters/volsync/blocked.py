"""What keeps a sync that VolSync calls `in progress` for as long as it waits: the words of what it waits for, never its own.

It makes a Job, a claim and a VolumeSnapshot of its own for each sync, and says nothing of what becomes of them: a class of
snapshots that is not there, an image that cannot be pulled, a volume that is not made.
"""

from __future__ import annotations

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CLAIM, JOB, POD, SNAPSHOT
from adapters.kubernetes.objects import Obj, name_of, rows, text
from adapters.volsync.readerjob import waiting_for, warning_about
from engine.errors import PermanentError


def blocked_by(client: ApiClient, found: Obj) -> str:
    """Of a source or a destination that is under way; "" where nothing is said."""
    namespace = text(found, "metadata", "namespace")
    return "; ".join(dict.fromkeys((*_snapshots(client, namespace, found), *_pods(client, namespace, found))))


def _own(found: Obj, objects: list[Obj]) -> list[Obj]:
    uid = text(found, "metadata", "uid")
    return [one for one in objects if any(text(owner, "uid") == uid for owner in rows(one, "metadata", "ownerReferences"))]


def _snapshots(client: ApiClient, namespace: str, found: Obj) -> list[str]:
    own = _own(found, client.list_if_served(SNAPSHOT, namespace) or [])
    told = ((name_of(one), text(one, "status", "error", "message")) for one in own)
    return [f"VolumeSnapshot {name}: {message}" for name, message in told if message]


def _pods(client: ApiClient, namespace: str, found: Obj) -> list[str]:
    told = []
    for job in _own(found, client.list_objects(JOB, namespace)):
        pods = client.list_objects(POD, namespace, labels=f"job-name={name_of(job)}")
        try:
            words = waiting_for(client, namespace, name_of(job), pods)
        except PermanentError as error:
            words = "; ".join(error.evidence) or error.what
        if words:
            told.append(f"pod of {name_of(job)}: {words}")
    for claim in _own(found, client.list_objects(CLAIM, namespace)):
        if text(claim, "status", "phase") == "Pending" and (words := warning_about(client, namespace, claim)):
            told.append(f"claim {name_of(claim)}: {words}")
    return told
