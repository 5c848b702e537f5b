"""Reads what a claim or an image holds, and holds it against a snapshot: a Job of ours mounts it, and its log tells.

An image is mounted through a claim made from the VolumeSnapshot. All that is made is named for what is asked, belongs to the
Job, and goes when the log is here; a Job that a dead run left is taken over. The pod's contract is in reader.py.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, from_answer
from adapters.kubernetes.kinds import CLAIM, JOB, POD, SNAPSHOT, Kind
from adapters.kubernetes.objects import Obj, dig, name_of, number, table, text
from adapters.volsync.attached import node_of
from adapters.volsync.mover import Mover, identities_of, image_of_movers, lacks, mover_of
from adapters.volsync.reader import LIST_TAKE, Reading, Request, joined, read_log
from adapters.volsync.readerjob import LABELS, Asked, Volume, copy_spec, destination_of, waiting_for
from adapters.volsync.results import Compared, Listing, Meanwhile, Sight, Snapshot, idle
from engine.errors import PermanentError, TransientError
from engine.waiting import CLOSE, Clock, wait_until

_LOG_S = 120.0
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Limits:
    """How long a pod may take to end (`limit_s`), and how long to start once the cluster says why it does not (`start_s`)."""

    limit_s: float = 7200.0
    start_s: float = 300.0


class Reader:
    """Reads images and claims through Jobs. `image` "" for the one that VolSync's movers run."""

    def __init__(
        self, clients: Clients, clock: Clock, *, image: str = "", limits: Limits = Limits(), take: int = LIST_TAKE
    ) -> None:
        self._clients, self._clock, self._image, self._limits = clients, clock, image, limits
        self._take = take

    def read(self, namespace: str, claim_or_image: str, *, hashed: bool) -> Listing:
        """The whole list. `complete` False when the log broke off or something could not be read.

        Raises PermanentError when there is neither image nor claim of this name, and when the pod cannot start.
        """
        client = self._clients.main()
        volume = self.volume(namespace, claim_or_image)
        restic = table(destination_of(client, namespace, claim_or_image), "spec", "restic")
        _, identities = identities_of(client, namespace, restic)
        # Root reads what belongs to others; where it is forbidden, the mover's own user may do.
        request = Request(take=self._take, hashed=hashed)
        asked = Asked(claim_or_image, volume, request, self._image or image_of_movers(client), identities[-1])
        return _listing(self._stretches(namespace, asked))

    def compare(
        self, namespace: str, claim_or_image: str, destination: str, against: Snapshot, meanwhile: Meanwhile = idle
    ) -> Compared:
        """See Claims.compare: as the mover first; when that cannot read everything, as root."""
        mover = mover_of(self._clients.main(), namespace, destination)
        return self.compare_as(namespace, claim_or_image, mover, against, f"{namespace}/{destination}", meanwhile)

    def compare_as(
        self, namespace: str, claim_or_image: str, mover: Mover, against: Snapshot, whose: str, meanwhile: Meanwhile = idle,
        begun: Reading | None = None,
    ) -> Compared:  # fmt: skip
        """The same with a mover that is given; `whose` it is, for the error; `begun` with what another pod of that mover's user
        has told of it already."""
        client = self._clients.main()
        volume = self.volume(namespace, claim_or_image)
        image = self._image or image_of_movers(client)
        request = Request(take=self._take, against=against)
        for identity in mover.identities:
            asked = Asked(claim_or_image, volume, request, image, identity, mover)
            readings, meanwhile, begun = self._stretches(namespace, asked, meanwhile, begun), idle, None
            first, listing = readings[0], _listing(readings)
            if first.other_repository:
                raise PermanentError(
                    f"The mover of {whose} opens another repository than the restore point's",
                    evidence=(f"it opens {first.other_repository}", f"the restore point is of {against.repository_id}"),
                    hint="is the Secret of the ReplicationDestination the one whose repository was looked at?",
                )
            if listing.complete:
                break
        return Compared(listing, first.checked, first.unable, owners_kept=mover.privileged)

    def identify(self, namespace: str, destination: str, secret: str) -> Sight:
        """See Claims.repository_seen: as the mover first, then as root. TransientError while there is no VolSync to ask."""
        client = self._clients.main()
        if absent := lacks(client, namespace, secret):
            return Sight("", absent)
        mover = mover_of(client, namespace, destination, secret)
        nothing = Volume("", None, asked_at=f"{self._clock.now():.3f}")
        image, request, told = self._image or image_of_movers(client), Request(take=0, identify=True), ""
        for identity in mover.identities:
            try:
                reading = self.run(namespace, Asked(secret, nothing, request, image, identity, mover))
            except PermanentError as error:
                return Sight("", "; ".join((error.what, *error.evidence)))
            if reading.repository:
                return Sight(reading.repository)
            told = told or reading.unable or "; ".join(reading.problems) or "the reader's log broke off"
        return Sight("", told)

    def _stretches(
        self, namespace: str, asked: Asked, meanwhile: Meanwhile = idle, begun: Reading | None = None
    ) -> list[Reading]:
        """The readings of the whole list. A later stretch of a list that broke off is not asked for."""
        readings: list[Reading] = []
        seen = 0
        if begun is not None:
            meanwhile()
        while True:
            reading, begun = begun or self.run(namespace, asked, meanwhile), None
            readings.append(reading)
            seen += reading.shown
            if not reading.ended or reading.problems or seen >= reading.total or not reading.shown:
                return readings
            hashed = asked.request.hashed or bool(readings[0].unable)
            asked, meanwhile = replace(asked, request=Request(seen, self._take, hashed), mover=None), idle

    def run(self, namespace: str, asked: Asked, meanwhile: Meanwhile = idle) -> Reading:
        """One run of the reader: its Job, and the copy that it mounts, are gone afterwards."""
        client = self._clients.main()
        name, copy = asked.name, asked.volume.claim_spec
        job = self._job(client, namespace, asked)
        try:
            if copy is not None:
                self._make_copy(client, namespace, job, copy)
            meanwhile()
            pod = self._ended(client, namespace, asked)
            return self._reading(client, namespace, pod, asked.image)
        finally:
            client.delete(JOB, name, namespace, cascade="Background")
            if copy is not None:
                client.delete(CLAIM, name, namespace)

    def _job(self, client: ApiClient, namespace: str, asked: Asked) -> Obj:
        name = asked.name
        try:
            return client.create(JOB, asked.job(), namespace)
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
        return client.create(JOB, asked.job(), namespace)

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
            limit_s=self._limits.limit_s,
            what=f"the deletion of an older {kind.name} {namespace}/{name}",
        )

    def _ended(self, client: ApiClient, namespace: str, asked: Asked) -> Obj:
        """The Job's pod once it has ended. PermanentError, in the cluster's words, when it does not start in its time."""
        since = self._clock.monotonic()

        def look() -> Obj | None:
            pods = client.list_objects(POD, namespace, labels=f"batch.kubernetes.io/job-name={asked.name}")
            ended = next((pod for pod in pods if text(pod, "status", "phase") in _ENDED), None)
            if ended is not None:
                return ended
            told = waiting_for(client, namespace, asked.name, pods)
            if told and self._clock.monotonic() - since > self._limits.start_s:
                raise PermanentError(
                    f"The pod that reads {namespace}/{asked.source} has not started in {self._limits.start_s:.0f} s",
                    evidence=(told, f"image {asked.image}"),
                )
            return None

        what = f"the pod that reads {namespace}/{asked.source}"
        return wait_until(self._clock, look, limit_s=self._limits.limit_s, what=what, pace=CLOSE)

    def _reading(self, client: ApiClient, namespace: str, pod: Obj, image: str) -> Reading:
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
                hint=f"is {image} an image with a POSIX shell and the usual tools?",
            ) from error

    def volume(self, namespace: str, claim_or_image: str) -> Volume:
        """What to mount for this image or claim. PermanentError when there is neither, TransientError when it is not ready."""
        client = self._clients.main()
        snapshots = client.list_if_served(SNAPSHOT, namespace) or []
        image = next((s for s in snapshots if name_of(s) == claim_or_image), None)
        if image is None:
            if client.get(CLAIM, claim_or_image, namespace) is None:
                raise PermanentError(f"There is neither a VolumeSnapshot nor a claim {namespace}/{claim_or_image}")
            node = node_of(client, namespace, claim_or_image)
            return Volume(claim_or_image, None, node, asked_at=f"{self._clock.now():.3f}")
        if dig(image, "status", "readyToUse") is not True:
            raise TransientError(
                f"VolumeSnapshot {namespace}/{claim_or_image} is not ready to use",
                evidence=tuple(x for x in (text(image, "status", "error", "message"),) if x),
            )
        return Volume("", copy_spec(client, namespace, image))


def _listing(readings: list[Reading]) -> Listing:
    """One list of all stretches; not complete when one of them is not, or when they are not of one list."""
    last = readings[-1]
    broken = next((r for r in readings if not r.ended or r.problems), None)
    detail = ""
    if broken is not None:
        detail = "; ".join(broken.problems[:3]) or "the reader's log is not whole"
    elif sum(r.shown for r in readings) != last.total or any(r.total != last.total for r in readings):
        detail = "the list changed while it was read"
    return Listing(
        joined(readings), complete=not detail, ownership_known=all(r.ownership_known for r in readings), detail=detail
    )
