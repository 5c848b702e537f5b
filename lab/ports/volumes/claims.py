"""The claims port, in process, on the modelled cluster and its VolSync."""

from __future__ import annotations

from dataclasses import replace

from adapters.volsync.results import (
    Checked,
    ClaimPhase,
    ClaimState,
    Compared,
    DestinationState,
    FileEntry,
    Listing,
    Meanwhile,
    Sight,
    Snapshot,
    SourceBackups,
    idle,
)
from adapters.volsync.trigger import is_of, numbered
from engine.errors import PermanentError
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.volsync import VolSync
from lab.world.cluster.volumes import Claim, Destination, Sick, Source


class ModelledClaims:
    """Claims port (volsync.port.Claims)."""

    def __init__(self, kube: KubeWorld, volsync: VolSync) -> None:
        self._kube = kube
        self._world = kube.world
        self._volsync = volsync

    def claim(self, namespace: str, name: str) -> ClaimState:
        """See volsync.port.ClaimsView."""
        with self._world.looking():
            claim = self._kube.objects().claims.get((namespace, name))
            if claim is None:
                return ClaimState(namespace, name, ClaimPhase.ABSENT, "", "", "")
            phase = ClaimPhase.BOUND if claim.bound else ClaimPhase.PENDING
            volume = self._handle(claim) if claim.bound else ""
            phase = ClaimPhase.LOST if claim.lost else phase
            return ClaimState(
                namespace, name, phase, claim.uid, claim.populated_from, claim.destination, claim.detail, volume,
                claim.deleting, claim.created,
            )  # fmt: skip

    def destination(self, namespace: str, name: str) -> DestinationState:
        """See volsync.port.ClaimsView."""
        with self._world.looking():
            found = self._kube.objects().destinations.get((namespace, name))
            if found is None:
                return DestinationState(namespace, name, False, "", False, "", "", False, "", (), "", False)
            image = found.image.name if found.image else ""
            return DestinationState(
                namespace, name, True, found.restore_as_of, found.ours, found.trigger, found.last_trigger, found.running,
                found.result, found.log, image, found.image is not None and found.image.ready, found.condition,
                found.copy_method, found.image.uid if found.image else "", found.secret, found.instead_of,
            )  # fmt: skip

    def source(self, namespace: str, name: str) -> SourceBackups:
        """See volsync.port.ClaimsView."""
        with self._world.looking():
            found = self._kube.objects().sources.get((namespace, name))
            if found is None:
                return SourceBackups(namespace, name, False, "", False, 0.0, "", ())
            return SourceBackups(
                namespace, name, True, found.claim, found.running, found.last_sync, found.result, found.log, found.condition,
                (("last", str(found.retain_last)),), found.manual, found.last_manual, found.schedule, found.paused,
            )  # fmt: skip

    def contents(self, namespace: str, claim_or_image: str, *, hashed: bool) -> Listing:
        """See volsync.port.Claims."""
        with self._world.looking():
            entries = self._entries(namespace, claim_or_image)
            sick = self._sick(namespace, claim_or_image)
            return Listing(entries if hashed else tuple(replace(e, sha256="") for e in entries), complete=not sick, detail=sick)

    def compare(
        self, namespace: str, claim_or_image: str, destination: str, against: Snapshot, meanwhile: Meanwhile = idle
    ) -> Compared:
        """See volsync.port.Claims. Restic's part is played on the entries' hashes."""
        meanwhile()
        with self._world.looking():
            entries = self._entries(namespace, claim_or_image)
            if sick := self._sick(namespace, claim_or_image):
                return Compared(Listing(entries, complete=False, detail=sick), None, sick)
            _, found = self._destination(namespace, destination)
            store = self._kube.store
            repository = store.repositories.get(found.address)
            if store.down or repository is None:
                return Compared(Listing(entries, complete=True), None, "the store does not answer")
            if repository.repository_id != against.repository_id:
                raise PermanentError(f"the mover of {namespace}/{destination} opens another repository than the snapshot's")
            snapshot = next((s for s in repository.snapshots if s.snapshot_id == against.snapshot_id), None)
            if snapshot is None:
                return Compared(Listing(entries, complete=True), None, "there is no such snapshot")
            listing = Listing(tuple(replace(e, sha256="") for e in entries), complete=True)
            return Compared(listing, checked(snapshot.entries, entries))

    def _entries(self, namespace: str, claim_or_image: str) -> tuple[FileEntry, ...]:
        objects = self._kube.objects()
        for destination in objects.destinations.values():
            if destination.namespace == namespace and destination.image and destination.image.name == claim_or_image:
                return destination.image.entries
        claim = objects.claims.get((namespace, claim_or_image))
        if claim is None:
            raise PermanentError(f"no image or claim {namespace}/{claim_or_image}")
        return claim.entries

    def _handle(self, claim: Claim) -> str:
        kept = self._kube.objects().kept.get(claim.bound_to)
        return kept.handle if kept is not None and kept.handle else f"lab {claim.bound_to}"

    def _sick(self, namespace: str, name: str) -> str:
        """Why not all of this volume can be read, "" for no such reason. PermanentError where nobody can mount it."""
        objects = self._kube.objects()
        claim = objects.claims.get((namespace, name))
        kept = objects.kept.get(claim.bound_to) if claim is not None and claim.bound else None
        if kept is None or kept.sick is None:
            return ""
        if kept.sick is Sick.GONE:
            raise PermanentError(f"The pod that reads {namespace}/{name} cannot start: MountVolume failed: no such volume")
        return "read error: Input/output error"

    def repository_seen(self, namespace: str, destination: str, secret: str) -> Sight:
        """See volsync.port.Claims."""
        with self._world.looking():
            self._destination(namespace, destination)
            address = self._kube.address_of(namespace, secret)
            if not address:
                return Sight("", f"Secret {namespace}/{secret} is not in the cluster")
            found = self._kube.store.repositories.get(address)
            if self._kube.store.down or (found is not None and found.trouble is not None):
                return Sight("", "Fatal: unable to open config file")
            return Sight(found.repository_id) if found is not None else Sight("", "Fatal: repository does not exist")

    def pin(self, namespace: str, destination: str, restore_as_of: str, trigger: str, secret: str = "") -> None:
        """See volsync.port.Claims."""
        with self._world.looking():
            objects, found = self._destination(namespace, destination)
            before = found.instead_of or found.secret
            self._volsync.turn(found, secret or before)
            found.instead_of = before if found.secret != before else ""
            if not (found.ours and found.trigger != found.last_trigger):
                found.trigger = numbered(trigger, found.last_trigger)  # one that ran already is not run again
            found.restore_as_of, found.ours = restore_as_of, True
            self._volsync.nudge(objects, found)

    def unpin(self, namespace: str, destination: str) -> None:
        """See volsync.port.Claims."""
        with self._world.looking():
            _, found = self._destination(namespace, destination)
            found.restore_as_of, found.ours = "", False
            self._volsync.turn(found, found.instead_of or found.secret)
            found.instead_of = ""

    def nudge(self, kind: str, namespace: str, name: str) -> None:
        """See volsync.port.Claims."""
        with self._world.looking():
            objects = self._kube.objects()
            key = (namespace, name)
            table: dict[str, Claim | Destination | Source | None] = {
                "PersistentVolumeClaim": objects.claims.get(key),
                "ReplicationDestination": objects.destinations.get(key),
                "ReplicationSource": objects.sources.get(key),
            }
            thing = table[kind]
            if thing is None:
                raise PermanentError(f"no {kind} {namespace}/{name}")
            self._volsync.nudge(objects, thing)

    def delete_claim(self, namespace: str, name: str, uid: str) -> None:
        """See volsync.port.Claims."""
        with self._world.looking():
            objects = self._kube.objects()
            found = objects.claims.get((namespace, name))
            if found is None:
                return
            if found.uid != uid:
                raise PermanentError(f"{namespace}/{name} is another claim than the one that was seen")
            if found.app_ready:
                found.deleting = True  # claims in use are protected: it goes when the pods are gone
            else:
                self._volsync.remove(objects, found)

    def back_up_now(self, namespace: str, source: str, trigger: str) -> str:
        """See volsync.port.Claims."""
        with self._world.looking():
            objects = self._kube.objects()
            found = objects.sources.get((namespace, source))
            if found is None:
                raise PermanentError(f"no ReplicationSource {namespace}/{source}")
            if not trigger:
                found.manual = "" if found.schedule else found.manual
                return found.manual
            if not (is_of(found.manual, trigger) and found.manual != found.last_manual):
                found.manual = numbered(trigger, found.last_manual)
            found.wanted = True
            self._volsync.nudge(objects, found)
            return found.manual

    def _destination(self, namespace: str, name: str) -> tuple[Objects, Destination]:
        objects = self._kube.objects()
        found = objects.destinations.get((namespace, name))
        if found is None:
            raise PermanentError(f"no ReplicationDestination {namespace}/{name}")
        return objects, found


def checked(wanted: tuple[FileEntry, ...], found: tuple[FileEntry, ...]) -> Checked:
    """As restic tells it: a file of the same content is unchanged, whatever else differs."""
    there = {e.path: e for e in found}
    pairs = [(e, there[e.path]) for e in wanted if e.kind == "file" and e.path in there and there[e.path].kind == "file"]
    changed = tuple(e.path for e, other in pairs if e.sha256 != other.sha256)
    surplus = tuple(e.path for e in found if e.path not in {one.path for one in wanted})
    return Checked(len(pairs) - len(changed), len(changed) + len(surplus), changed, surplus)
