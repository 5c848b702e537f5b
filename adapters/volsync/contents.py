"""Reads what an image holds: a Job of ours mounts a claim made from the VolumeSnapshot, and its log is the list.

The Job does not carry VolSync's label, so the hold lets it through. All that is made is named for what is read, belongs to the
Job, and goes when the list is here; a Job that a dead run left is taken over. The pod's contract is in reader.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, from_answer
from adapters.kubernetes.kinds import CLAIM, EVENT, JOB, NAMESPACE, POD, REPLICATION_DESTINATION, SNAPSHOT, Kind
from adapters.kubernetes.objects import Obj, condition, dig, name_of, number, rows, table, text
from adapters.volsync.reader import IMAGE, LIST_TAKE, SCRIPT, Reading, Request, first_requests, read_log
from adapters.volsync.results import Listing
from engine.errors import PermanentError, TransientError
from engine.waiting import Clock, wait_until

LABELS = {"app.kubernetes.io/managed-by": "blackstart", "app.kubernetes.io/component": "reader"}
_LOG_S = 120.0
_KEPT_S = 3600  # a Job that nobody takes over goes by itself


@dataclass(frozen=True)
class Volume:
    """What the reader mounts: a copy of an image (`claim_spec`), or a claim as it is."""

    claim: str
    claim_spec: Obj | None
    run_as: Obj


class Reader:
    """Reads images and claims through Jobs."""

    def __init__(
        self, clients: Clients, clock: Clock, *, image: str = IMAGE, limit_s: float = 7200.0, take: int = LIST_TAKE
    ) -> None:
        self._clients, self._clock, self._image, self._limit_s = clients, clock, image, limit_s
        self._take = take

    def read(self, namespace: str, claim_or_image: str, hashes: Sequence[str] | None) -> Listing:
        """The whole list. `complete` False when the log broke off or something could not be read.

        Raises PermanentError when there is neither image nor claim of this name, WaitedTooLong when the pod does not end.
        """
        volume = self._volume(namespace, claim_or_image)
        listing = Listing((), complete=True)
        sums: dict[str, str] = {}
        requests = list(first_requests(None if hashes is None else tuple(hashes), self._take))
        while requests:
            request = requests.pop(0)
            reading = self._run(namespace, claim_or_image, volume, request)
            listing = _joined(listing, reading)
            sums |= reading.sums
            seen = request.skip + reading.shown
            if listing.complete and request.take and reading.total > seen:
                if not reading.shown:
                    return replace(listing, complete=False, detail="the list changed while it was read")
                requests.append(Request(seen, request.take, None if request.hashes is None else ()))
        return replace(listing, entries=tuple(replace(e, sha256=sums.get(e.path, "")) for e in listing.entries))

    def _run(self, namespace: str, source: str, volume: Volume, request: Request) -> Reading:
        client = self._clients.main()
        name = job_name(source, request)
        job = self._job(client, namespace, name, volume, request)
        try:
            if volume.claim_spec is not None:
                self._make_copy(client, namespace, job, volume.claim_spec)
            pod = wait_until(
                self._clock,
                lambda: _ended_pod(client, namespace, name),
                limit_s=self._limit_s,
                what=f"the pod that reads {namespace}/{source}",
            )
            return self._reading(client, namespace, pod)
        finally:
            client.delete(JOB, name, namespace, cascade="Background")
            if volume.claim_spec is not None:
                client.delete(CLAIM, name, namespace)

    def _job(self, client: ApiClient, namespace: str, name: str, volume: Volume, request: Request) -> Obj:
        wanted = job_object(name, volume, request, self._image)
        try:
            return client.create(JOB, wanted, namespace)
        except AlreadyThere:
            found = client.get(JOB, name, namespace)
            if (
                found is not None
                and not text(found, "metadata", "deletionTimestamp")
                and not number(found, "status", "failed")
            ):
                return found
        client.delete(JOB, name, namespace, cascade="Background")
        self._wait_gone(client, JOB, namespace, name)
        return client.create(JOB, wanted, namespace)

    def _make_copy(self, client: ApiClient, namespace: str, job: Obj, spec: Obj) -> None:
        name = name_of(job)
        owner = {"apiVersion": JOB.api_version, "kind": JOB.name, "name": name, "uid": text(job, "metadata", "uid")}
        claim = {"metadata": {"name": name, "labels": LABELS, "ownerReferences": [owner]}, "spec": spec}
        found = client.get(CLAIM, name, namespace)
        if found is not None and text(found, "metadata", "deletionTimestamp"):
            self._wait_gone(client, CLAIM, namespace, name)
        with suppress(AlreadyThere):
            client.create(CLAIM, claim, namespace)

    def _wait_gone(self, client: ApiClient, kind: Kind, namespace: str, name: str) -> None:
        wait_until(
            self._clock,
            lambda: client.get(kind, name, namespace) is None or None,
            limit_s=self._limit_s,
            what=f"the deletion of an older {kind.name} {namespace}/{name}",
        )

    def _reading(self, client: ApiClient, namespace: str, pod: Obj) -> Reading:
        what = f"read the log of pod {namespace}/{name_of(pod)}"
        path = POD.path(namespace, name_of(pod), "log")
        answer = client.ask("GET", path, what, params={"container": "reader"}, accept="*/*", timeout_s=_LOG_S)
        if answer.code != 200:
            raise from_answer(answer.code, answer.body, what)
        try:
            return read_log(answer.body)
        except (ValueError, KeyError) as error:
            raise PermanentError(
                f"The reader's log of {namespace}/{name_of(pod)} is not what the reader prints",
                evidence=(str(error)[:200],),
                hint=f"is {self._image} an image with a POSIX shell and the usual tools?",
            ) from error

    def _volume(self, namespace: str, claim_or_image: str) -> Volume:
        client = self._clients.main()
        snapshots = client.list_if_served(SNAPSHOT, namespace) or []
        image = next((s for s in snapshots if name_of(s) == claim_or_image), None)
        destination = _destination_of(client, namespace, claim_or_image)
        run_as = _security(client, namespace, destination)
        if image is None:
            if client.get(CLAIM, claim_or_image, namespace) is None:
                raise PermanentError(f"There is neither a VolumeSnapshot nor a claim {namespace}/{claim_or_image}")
            return Volume(claim_or_image, None, run_as)
        if dig(image, "status", "readyToUse") is not True:
            raise TransientError(
                f"VolumeSnapshot {namespace}/{claim_or_image} is not ready to use",
                evidence=tuple(x for x in (text(image, "status", "error", "message"),) if x),
            )
        return Volume("", _copy_spec(client, namespace, image, destination), run_as)


def job_name(source: str, request: Request) -> str:
    """The Job's (and the copy's) name: the same for the same question, so that a resume finds what a dead run began."""
    asked = json.dumps([source, request.environment()], sort_keys=True).encode()
    return f"blackstart-read-{hashlib.sha256(asked).hexdigest()[:12]}"


def _joined(listing: Listing, reading: Reading) -> Listing:
    whole = reading.ended and not reading.problems
    detail = "" if whole else "; ".join(reading.problems[:3]) or "the reader's log broke off"
    return Listing(
        entries=listing.entries + reading.entries,
        complete=listing.complete and whole,
        ownership_known=listing.ownership_known and reading.ownership_known,
        detail=listing.detail or detail,
    )


def job_object(name: str, volume: Volume, request: Request, image: str) -> Obj:
    """The reader's Job, as reader.py describes its pod."""
    container: Obj = {
        "name": "reader",
        "image": image,
        "command": ["sh", "-c", SCRIPT],
        "env": [{"name": key, "value": value} for key, value in request.environment().items()],
        "volumeMounts": [
            {"name": "data", "mountPath": "/data", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True} | volume.run_as,
    }
    spec: Obj = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": volume.claim or name}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def _ended_pod(client: ApiClient, namespace: str, job: str) -> Obj | None:
    """The Job's pod once it has ended, None while it has not. PermanentError when it cannot start."""
    pods = client.list_objects(POD, namespace, labels=f"batch.kubernetes.io/job-name={job}")
    for pod in pods:
        if text(pod, "status", "phase") in ("Succeeded", "Failed"):
            return pod
        for container in rows(pod, "status", "containerStatuses"):
            waiting = table(container, "state", "waiting")
            if waiting.get("reason") in ("ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"):
                raise PermanentError(
                    f"The pod that reads {namespace}/{job} cannot start",
                    evidence=(f"{text(waiting, 'reason')}: {text(waiting, 'message')}",),
                )
    if not pods:
        _raise_if_refused(client, namespace, job)
    return None


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


def _destination_of(client: ApiClient, namespace: str, image: str) -> Obj:
    destinations = client.list_if_served(REPLICATION_DESTINATION, namespace) or []
    return next((d for d in destinations if text(d, "status", "latestImage", "name") == image), {})


def _copy_spec(client: ApiClient, namespace: str, image: Obj, destination: Obj) -> Obj:
    """A claim like the one the snapshot was taken of; when that is gone, like the destination says."""
    taken_of = text(image, "spec", "source", "persistentVolumeClaimName")
    model = (client.get(CLAIM, taken_of, namespace) if taken_of else None) or {}
    restic = table(destination, "spec", "restic")
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


def _security(client: ApiClient, namespace: str, destination: Obj) -> Obj:
    """Root that may read what belongs to others; where the namespace forbids root, the mover's own user.

    Never an fsGroup: a kubelet would change the owners that are to be compared.
    """
    labels = table(client.get(NAMESPACE, namespace) or {}, "metadata", "labels")
    if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
        return {"runAsUser": 0, "runAsGroup": 0, "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}}
    mover = table(destination, "spec", "restic", "moverSecurityContext")
    return {
        "runAsNonRoot": True,
        "runAsUser": mover.get("runAsUser", 65534),
        "runAsGroup": mover.get("runAsGroup", 65534),
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
