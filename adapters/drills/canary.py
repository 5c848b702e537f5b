"""The canary on a real API: a claim of ours with a fresh word, which VolSync itself backs up to the store of a mover's.

It has a namespace of its own, for VolSync makes nothing in the scratch namespace. Its repository lies beside the mover's, keeps one
snapshot, and is all that a drill ever writes to a store.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from adapters.drills.borrowed import Lender, writing
from adapters.drills.fence import DRILL, LABELS, not_ours, ours
from adapters.drills.jobs import SENTINEL, sentinel_job, trouble_of
from adapters.drills.openings import Resolver
from adapters.drills.results import Found, Phase, Sent, Twist
from adapters.drills.store import CANARY
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import AlreadyThere
from adapters.kubernetes.kinds import (
    CLAIM,
    CONFIG_MAP,
    JOB,
    NAMESPACE,
    REPLICATION_DESTINATION,
    REPLICATION_SOURCE,
    SECRET,
)
from adapters.kubernetes.objects import Obj, condition, rows, table, text
from adapters.volsync.mover import Mover, image_of_movers
from engine.errors import PermanentError, TransientError

_SIZE = "256Mi"
_OF_MOVERS = (
    "moverSecurityContext", "moverResources", "moverAffinity", "moverPodLabels", "cacheStorageClassName", "storageClassName",
)  # fmt: skip
Log = Callable[[str, str], str]
"""Waits for the end of the pod of this namespace's Job, and answers its log."""


def sent(client: ApiClient) -> Sent:
    """How far VolSync is with it."""
    source = client.get(REPLICATION_SOURCE, SENTINEL, CANARY)
    word = text(source or {}, "spec", "trigger", "manual")
    if source is None or not word:
        return Sent(Phase.ABSENT)
    if text(source, "status", "lastManualSync") == word:
        return Sent(Phase.DONE, word)
    said = condition(source, "Synchronizing")
    return Sent(Phase.RUNNING, word, text(said, "message") or text(source, "status", "latestMoverStatus", "logs")[-300:])


def send(client: ApiClient, resolver: Resolver, namespace: str, destination: str, word: str, drill: str, log: Log) -> None:
    """Write the word into a claim of ours, and have VolSync back it up as the mover of this ReplicationDestination would."""
    _make_namespace(client, drill, _privileged(client, namespace))
    found = client.get(REPLICATION_DESTINATION, destination, namespace)
    if found is None:
        raise PermanentError(f"there is no ReplicationDestination {namespace}/{destination}")
    restic, lender = table(found, "spec", "restic"), Lender(client, resolver, CANARY)
    lent = lender.borrowed(namespace, destination, Twist.CANARY)
    spec: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": _SIZE}}}
    if restic.get("storageClassName"):
        spec["storageClassName"] = restic["storageClassName"]
    with suppress(AlreadyThere):
        client.create(CLAIM, {"metadata": {"name": SENTINEL, "labels": LABELS}, "spec": spec}, CANARY)
    as_whom = writing(client, namespace, destination, lent.mover)
    with suppress(AlreadyThere):
        client.create(JOB, sentinel_job(word, image_of_movers(client), as_whom), CANARY)
    if f"w {word}" not in log(CANARY, SENTINEL).splitlines():
        raise TransientError("the canary's word was not written: the pod's log does not say so")
    source = {"sourcePVC": SENTINEL, "trigger": {"manual": word}, "restic": _restic(lender, namespace, restic, lent.mover)}
    with suppress(AlreadyThere):
        client.create(REPLICATION_SOURCE, {"metadata": {"name": SENTINEL, "labels": LABELS}, "spec": source}, CANARY)


def found_in(log: str) -> Found:
    """What its log says."""
    lines = log.splitlines()
    told = tuple(line[2:] for line in lines if line.startswith("? "))
    answer = next((line.split(" ") for line in lines if line.startswith("c ")), [])
    if "end" not in lines or len(answer) < 2:
        return Found(None, None, "the pod's log broke off")
    if answer[1] == "found":
        return Found(answer[2] if len(answer) > 2 else "")
    return Found(None, trouble_of(int(answer[2]), told), "; ".join(told[-2:]))


def clear(client: ApiClient) -> None:
    """Delete its namespace, if it is ours. Its repository stays: the next canary goes there."""
    found = client.get(NAMESPACE, CANARY)
    if found is not None and ours(found):
        client.delete(NAMESPACE, CANARY, uid=text(found, "metadata", "uid"))


def _make_namespace(client: ApiClient, drill: str, annotations: dict[str, str]) -> None:
    meta = {"name": CANARY, "labels": LABELS, "annotations": {DRILL: drill} | annotations}
    try:
        client.create(NAMESPACE, {"metadata": meta})
    except AlreadyThere:
        found = client.get(NAMESPACE, CANARY) or {}
        if not ours(found):
            raise not_ours(CANARY) from None
        if text(found, "metadata", "deletionTimestamp") or table(found, "metadata", "annotations").get(DRILL) != drill:
            raise TransientError("the canary of an earlier drill is still there") from None


def _privileged(client: ApiClient, namespace: str) -> dict[str, str]:
    """VolSync's own mark for a namespace whose movers are root: the canary's mover is what the claim's is."""
    marks = table(client.get(NAMESPACE, namespace) or {}, "metadata", "annotations")
    return {key: str(value) for key, value in marks.items() if key == "volsync.backube/privileged-movers"}


def _restic(lender: Lender, namespace: str, restic: Obj, mover: Mover) -> Obj:
    """What a ReplicationSource says of its mover, by what the destination says of its own. No copy is made: nobody writes."""
    own = {key: restic[key] for key in _OF_MOVERS if restic.get(key)}
    secret = text(mover.environment_from[0], "secretRef", "name")
    made = own | {"copyMethod": "Direct", "repository": secret, "retain": {"last": "1"}}
    custom = table(restic, "customCA")
    for kind, field in ((SECRET, "secretName"), (CONFIG_MAP, "configMapName")):
        if name := text(custom, field):
            made["customCA"] = {field: lender.copy(kind, namespace, name), "key": text(custom, "key")}
    given = rows(restic, "moverVolumes")
    volumes = [volume | {"volumeSource": lender.volume(namespace, table(volume, "volumeSource"))} for volume in given]
    return made | ({"moverVolumes": volumes} if volumes else {})

