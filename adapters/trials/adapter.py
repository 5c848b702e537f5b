"""The Trials port on a real Kubernetes API. What it made is gone when a trial ends, well or not; a marker tells that it passed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from adapters.hold.record import NAMESPACE
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, ObjectAbsent, from_answer
from adapters.kubernetes.kinds import CLAIM, CONFIG_MAP, EVENT, JOB, POD, SNAPSHOT, SNAPSHOT_CLASS, STORAGE_CLASS, Kind
from adapters.kubernetes.kinds import NAMESPACE as NAMESPACE_KIND
from adapters.kubernetes.objects import Obj, dig, name_of, number, table, text
from adapters.trials.objects import LABEL, MARKERS, claim, job, key_of, name_of_trial, snapshot
from adapters.trials.results import Trial, TrialsLook, Tried
from adapters.volsync.mover import image_of_movers
from engine.errors import OurError, PermanentError, TransientError, WaitedTooLong
from engine.text.jsontext import Malformed, read
from engine.waiting import Clock, wait_until

_GONE_S = 120.0
_DEFAULT = "snapshot.storage.kubernetes.io/is-default-class"


class KubernetesTrials:
    """See port.Trials. `image` "" for the one that VolSync's movers run: it is in the house, and has a shell."""

    def __init__(self, clients: Clients, clock: Clock, image: str = "") -> None:
        self._clients, self._clock, self._image = clients, clock, image

    def look(self) -> TrialsLook:
        """See port.TrialsView. A marker that nobody can read is none."""
        client = self._clients.main()
        found = client.get(CONFIG_MAP, MARKERS, NAMESPACE)
        passed = [_trial(key, str(value)) for key, value in sorted(table(found or {}, "data").items())]
        left = [
            f"{kind.name} {NAMESPACE}/{name_of(obj)}"
            for kind in (JOB, CLAIM, SNAPSHOT)
            for obj in client.list_if_served(kind, NAMESPACE, labels=LABEL) or ()
        ]
        classes = {name_of(one): text(one, "driver") for one in client.list_if_served(SNAPSHOT_CLASS) or ()}
        known = tuple(one for one in passed if one is not None)
        return TrialsLook(known, tuple(left), frozenset(classes.values()), frozenset(classes))

    def write(self, storage_class: str, limit_s: float) -> None:
        """See port.Trials."""
        self._tried(Tried.WRITE, storage_class, limit_s, self._write)

    def snapshot(self, storage_class: str, limit_s: float) -> None:
        """See port.Trials."""
        self._tried(Tried.SNAPSHOT, storage_class, limit_s, self._write_and_restore)

    def _tried(self, tried: Tried, storage_class: str, limit_s: float, act: Callable[[ApiClient, str, float], object]) -> None:
        client, began = self._clients.main(), self._clock.monotonic()
        with suppress(AlreadyThere):
            client.create(NAMESPACE_KIND, {"metadata": {"name": NAMESPACE}})
        self._sweep(client, storage_class)
        try:
            act(client, storage_class, limit_s)
        except OurError:
            # What hangs may not go either: why it failed is what has to be told.
            with suppress(TransientError):
                self._sweep(client, storage_class)
            raise
        self._sweep(client, storage_class)
        marker = {"at": self._clock.now(), "seconds": round(self._clock.monotonic() - began, 1)}
        self._mark(client, key_of(tried, storage_class), json.dumps(marker))

    def _write(self, client: ApiClient, storage_class: str, limit_s: float) -> tuple[Obj, str]:
        """The Job that everything of the trial belongs to, and the SHA-256 of what it wrote."""
        name = name_of_trial(storage_class)
        owner = client.create(JOB, job(name, name, self._image_of(client), limit_s, writes=True), NAMESPACE)
        client.create(CLAIM, claim(name, name, storage_class, owner), NAMESPACE)
        return owner, self._printed(client, name, storage_class, "a write", limit_s)

    def _write_and_restore(self, client: ApiClient, storage_class: str, limit_s: float) -> None:
        of_driver = self._snapshot_class(client, storage_class)
        owner, written = self._write(client, storage_class, limit_s)
        name = name_of_trial(storage_class)
        copy = f"{name}-copy"
        client.create(SNAPSHOT, snapshot(name, name, of_driver, owner), NAMESPACE)
        self._wait_ready(client, name, storage_class, limit_s)
        client.create(JOB, job(copy, name, self._image_of(client), limit_s, writes=False, owner=owner), NAMESPACE)
        client.create(CLAIM, claim(copy, name, storage_class, owner, snapshot=name), NAMESPACE)
        restored = self._printed(client, copy, storage_class, "the restore of a snapshot", limit_s)
        if restored != written:
            raise PermanentError(
                f"a snapshot on storage class {storage_class} does not hold what was written",
                evidence=(f"written {written[:16]}", f"restored {restored[:16] or 'nothing'}"),
                hint="no backup that is made from such snapshots can be trusted: look at the driver and its storage",
            )

    def _image_of(self, client: ApiClient) -> str:
        return self._image or image_of_movers(client)

    def _snapshot_class(self, client: ApiClient, storage_class: str) -> str:
        found = client.get(STORAGE_CLASS, storage_class)
        if found is None:
            raise PermanentError(f"there is no storage class {storage_class}")
        driver = text(found, "provisioner")
        fitting = [one for one in client.list_if_served(SNAPSHOT_CLASS) or () if text(one, "driver") == driver]
        if not fitting:
            raise PermanentError(
                f"no VolumeSnapshotClass is for {driver}, which makes the volumes of {storage_class}",
                hint="claims of it cannot be backed up from snapshots: add a VolumeSnapshotClass",
            )
        fitting.sort(key=lambda one: (table(one, "metadata", "annotations").get(_DEFAULT) != "true", name_of(one)))
        return name_of(fitting[0])

    def _printed(self, client: ApiClient, name: str, storage_class: str, what: str, limit_s: float) -> str:
        """What the Job printed. PermanentError when it fails, or is not through in its time, with what the cluster says of it."""

        def ended() -> Obj | None:
            found = client.get(JOB, name, NAMESPACE) or {}
            if number(found, "status", "failed"):
                self._refuse(client, name, storage_class, f"{what} on storage class {storage_class} failed")
            return found if number(found, "status", "succeeded") else None

        try:
            wait_until(self._clock, ended, limit_s=limit_s, what=f"{what} on storage class {storage_class}")
        except WaitedTooLong:
            self._refuse(client, name, storage_class, f"{what} on storage class {storage_class} did not end in {limit_s:.0f} s")
        pods = client.list_objects(POD, NAMESPACE, labels=f"batch.kubernetes.io/job-name={name}")
        if not pods:
            raise TransientError(f"the pod of Job {NAMESPACE}/{name} is gone before its log was read")
        doing = f"read the log of pod {NAMESPACE}/{name_of(pods[0])}"
        answer = client.ask("GET", POD.path(NAMESPACE, name_of(pods[0]), "log"), doing, accept="*/*")
        if answer.code != 200:
            raise from_answer(answer.code, answer.body, doing)
        return answer.body.decode("utf-8", "replace").split(" ")[0].strip()

    def _refuse(self, client: ApiClient, name: str, storage_class: str, what: str) -> None:
        """Raise with the newest warnings about what it made: there the driver says why."""
        warnings = [
            f"{text(event, 'involvedObject', 'kind')} {text(event, 'reason')}: {text(event, 'message')}"
            for event in client.list_objects(EVENT, NAMESPACE, fields="type=Warning")
            if text(event, "involvedObject", "name").startswith(name)
        ]
        phase = text(client.get(CLAIM, name, NAMESPACE) or {}, "status", "phase")
        raise PermanentError(
            what,
            evidence=(f"its claim is {phase or 'not there'}", *dict.fromkeys(warnings[-3:])),
            hint=f"nothing that is restored onto {storage_class} would be written: look at its storage before anything else",
        )

    def _wait_ready(self, client: ApiClient, name: str, storage_class: str, limit_s: float) -> None:
        seen: list[str] = []

        def ready() -> bool | None:
            found = client.get(SNAPSHOT, name, NAMESPACE) or {}
            seen[:] = [text(found, "status", "error", "message")]
            return dig(found, "status", "readyToUse") is True or None

        try:
            wait_until(self._clock, ready, limit_s=limit_s, what=f"a snapshot on storage class {storage_class}")
        except WaitedTooLong as error:
            raise PermanentError(
                f"a snapshot on storage class {storage_class} was not ready in {limit_s:.0f} s",
                evidence=tuple(filter(None, seen)),
                hint="backups from snapshots of it do not come about: look at the driver's snapshotter",
            ) from error

    def _sweep(self, client: ApiClient, storage_class: str) -> None:
        """Delete what there is of this class's trials, and wait until it is gone: whoever comes later meets nothing of it."""
        name = name_of_trial(storage_class)
        labels = f"{LABEL}={name}"
        for kind in (JOB, SNAPSHOT, CLAIM):
            for obj in client.list_if_served(kind, NAMESPACE, labels=labels) or ():
                with suppress(ObjectAbsent):
                    client.delete(kind, name_of(obj), NAMESPACE, cascade="Background")

        def gone() -> bool | None:
            return not any(client.list_if_served(kind, NAMESPACE, labels=labels) for kind in _MADE) or None

        wait_until(self._clock, gone, limit_s=_GONE_S, what=f"the end of the last trial of storage class {storage_class}")

    def _mark(self, client: ApiClient, key: str, value: str) -> None:
        with suppress(AlreadyThere):
            client.create(CONFIG_MAP, {"metadata": {"name": MARKERS}, "data": {}}, NAMESPACE)
        client.merge(CONFIG_MAP, MARKERS, {"data": {key: value}}, NAMESPACE)


_MADE: tuple[Kind, ...] = (JOB, SNAPSHOT, CLAIM)


def _trial(key: str, value: str) -> Trial | None:
    kind, _, storage_class = key.partition(".")
    try:
        return read(value, lambda told: Trial(Tried(kind), storage_class, float(told["at"]), float(told["seconds"])), ours=True)
    except Malformed:
        return None
