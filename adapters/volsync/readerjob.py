"""The reader's Job and the copy that it mounts, as objects; what its pod waits for, in words. Asks no API by itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CLAIM, EVENT, JOB, REPLICATION_DESTINATION, SNAPSHOT
from adapters.kubernetes.objects import Obj, condition, dig, name_of, rows, table, text
from adapters.volsync.mover import Identity, Mover
from adapters.volsync.pod import pod_of
from adapters.volsync.reader import Request
from adapters.volsync.script import SCRIPT
from engine.errors import PermanentError

LABELS = {"app.kubernetes.io/managed-by": "blackstart", "app.kubernetes.io/component": "reader"}
COMPARING = LABELS | {"app.kubernetes.io/created-by": "volsync"}
"""What a Job carries that opens a repository: policies of a house that give VolSync's movers their way to it go by this label
and by the name's beginning, and give it to this Job too."""

_KEPT_S = 3600  # a Job that nobody takes over goes by itself
_NEVER = ("ErrImageNeverPull", "InvalidImageName")


@dataclass(frozen=True)
class Volume:
    """What the reader mounts: a copy of an image (`claim_spec`), or a claim as it is (`claim`), on the node that has it in use;
    an empty folder where it is neither.

    An image never changes; of a claim, what an earlier run has read is no answer any more, which `asked_at` keeps apart.
    """

    claim: str
    claim_spec: Obj | None
    node: str = ""
    asked_at: str = ""


@dataclass(frozen=True)
class Asked:
    """One run of the reader: on which volume, what, as whom, and with whose way to the repository (None: it opens none)."""

    source: str
    volume: Volume
    request: Request
    image: str
    identity: Identity
    mover: Mover | None = None

    @property
    def name(self) -> str:
        """The Job's (and the copy's) name: the same for the same question, so that a resume finds what a dead run began."""
        question = [self.source, self.request.environment(), self.identity, self.image, self.volume.asked_at]
        asked = json.dumps(question, sort_keys=True).encode()
        # Names that begin with volsync-src- or volsync-dst- are VolSync's own; a house's policies may delay those.
        return f"{'volsync-blackstart' if self.mover else 'blackstart-read'}-{hashlib.sha256(asked).hexdigest()[:12]}"

    @property
    def labels(self) -> dict[str, str]:
        """The Job's labels."""
        return COMPARING if self.mover else LABELS

    def job(self) -> Obj:
        """The Job, as reader.py describes its pod."""
        mover = self.mover or Mover(False, ())
        claimed = {"persistentVolumeClaim": {"claimName": self.volume.claim or self.name}}
        data = claimed if self.volume.claim or self.volume.claim_spec is not None else {"emptyDir": {}}
        told = self.request.environment() | {"AT_ONCE": at_once(mover)}
        spec = pod_of("reader", self.image, SCRIPT, told, mover, self.identity, data, read_only=True)
        if self.volume.node:
            # Past the scheduler: the node may be cordoned or tainted, and the application runs there all the same.
            spec |= {"nodeName": self.volume.node, "tolerations": [{"operator": "Exists"}]}
        return {
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {
                "backoffLimit": 0,
                "ttlSecondsAfterFinished": _KEPT_S,
                "template": {"metadata": {"labels": dict(mover.labels) | self.labels}, "spec": spec},
            },
        }


def at_once(mover: Mover) -> str:
    """How many restics a pod may run side by side: what one needs of memory two need twice, which a limit is not made for."""
    return "1" if table(dict(mover.resources), "limits").get("memory") else "2"


def copy_spec(client: ApiClient, namespace: str, image: Obj) -> Obj:
    """A claim like the one the snapshot was taken of; when that is gone, like its destination says."""
    taken_of = text(image, "spec", "source", "persistentVolumeClaimName")
    model = (client.get(CLAIM, taken_of, namespace) if taken_of else None) or {}
    restic = table(destination_of(client, namespace, name_of(image)), "spec", "restic")
    size = (
        text(image, "status", "restoreSize")
        if text(image, "status", "restoreSize") not in ("", "0")
        else text(model, "spec", "resources", "requests", "storage") or text(restic, "capacity")
    )
    if not size:
        raise PermanentError(f"The size of VolumeSnapshot {namespace}/{name_of(image)} is not known")
    spec: Obj = {
        "accessModes": dig(model, "spec", "accessModes") or restic.get("accessModes") or ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "dataSourceRef": {"apiGroup": SNAPSHOT.group, "kind": SNAPSHOT.name, "name": name_of(image)},
    }
    storage_class = text(model, "spec", "storageClassName") or text(restic, "storageClassName")
    return spec | ({"storageClassName": storage_class} if storage_class else {})


def destination_of(client: ApiClient, namespace: str, image: str) -> Obj:
    """The ReplicationDestination whose newest image this is; an empty mapping when there is none."""
    destinations = client.list_if_served(REPLICATION_DESTINATION, namespace) or []
    return next((d for d in destinations if text(d, "status", "latestImage", "name") == image), {})


def waiting_for(client: ApiClient, namespace: str, job: str, pods: list[Obj]) -> str:
    """Why the Job's pod does not run, in the cluster's own words; "" when it runs, or when nothing is said yet.

    PermanentError for what no waiting mends.
    """
    for pod in pods:
        for container in rows(pod, "status", "containerStatuses"):
            waiting = table(container, "state", "waiting")
            told = ": ".join(part for part in (text(waiting, "reason"), text(waiting, "message")) if part)
            if waiting.get("reason") == "PodInitializing":
                first = (table(one, "state", "waiting") for one in rows(pod, "status", "initContainerStatuses"))
                waiting = next((one for one in first if one.get("reason") in _NEVER), waiting)
                told = ": ".join(part for part in (text(waiting, "reason"), text(waiting, "message")) if part)
            if waiting.get("reason") in _NEVER:
                raise PermanentError(f"The pod that reads {namespace}/{job} cannot start", evidence=(told,))
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                return told
            if waiting:
                return warning_about(client, namespace, pod) or told
        placed = condition(pod, "PodScheduled")
        if placed.get("status") == "False":
            told = f"{text(placed, 'reason')}: {text(placed, 'message')}"
            # The copy is named like the Job: what keeps it from being made is said there.
            return "; ".join(part for part in (told, warning_about(client, namespace, client.get(CLAIM, job, namespace))) if part)
    if not pods:
        _raise_if_refused(client, namespace, job)
        return warning_about(client, namespace, client.get(JOB, job, namespace))
    return ""


def warning_about(client: ApiClient, namespace: str, about: Obj | None) -> str:
    """The newest warning about this object."""
    if about is None:
        return ""
    fields = f"involvedObject.uid={text(about, 'metadata', 'uid')},type=Warning"
    events = client.list_objects(EVENT, namespace, fields=fields)
    events.sort(key=lambda event: text(event, "lastTimestamp") or text(event, "eventTime"))
    return f"{text(events[-1], 'reason')}: {text(events[-1], 'message')}" if events else ""


def _raise_if_refused(client: ApiClient, namespace: str, job: str) -> None:
    """A Job whose pod is refused (by pod security, by a quota) says so in an event only."""
    found = client.get(JOB, job, namespace)
    if found is not None and condition(found, "Failed").get("status") == "True":
        raise PermanentError(
            f"The Job that reads {namespace}/{job} failed", evidence=(text(condition(found, "Failed"), "message"),)
        )
    events = client.list_objects(EVENT, namespace, fields=f"involvedObject.name={job},reason=FailedCreate")
    if events:
        raise PermanentError(
            f"The pod that reads {namespace}/{job} is refused", evidence=(text(events[-1], "message"),)
        )
