"""The claims port, in process, on the modelled cluster and its VolSync."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.volsync.results import ClaimPhase, ClaimState, DestinationState, Listing, SourceBackups
from adapters.volsync.trigger import is_of, numbered
from engine.errors import PermanentError
from lab.world.kubernetes import KubeWorld, Objects
from lab.world.volsync import VolSync
from lab.world.volumes import Claim, Destination, Source


class ModelledClaims:
    """Claims port (ports.Claims)."""

    def __init__(self, kube: KubeWorld, volsync: VolSync) -> None:
        self._kube = kube
        self._world = kube.world
        self._volsync = volsync

    def claim(self, namespace: str, name: str) -> ClaimState:
        """See ports.ClaimsView."""
        with self._world.looking():
            claim = self._kube.objects().claims.get((namespace, name))
            if claim is None:
                return ClaimState(namespace, name, ClaimPhase.ABSENT, "", "", "")
            phase = ClaimPhase.BOUND if claim.bound else ClaimPhase.PENDING
            volume = f"lab vol-{claim.uid}" if claim.bound else ""
            phase = ClaimPhase.LOST if claim.lost else phase
            return ClaimState(
                namespace, name, phase, claim.uid, claim.populated_from, claim.destination, claim.detail, volume,
                claim.deleting, claim.created,
            )  # fmt: skip

    def destination(self, namespace: str, name: str) -> DestinationState:
        """See ports.ClaimsView."""
        with self._world.looking():
            found = self._kube.objects().destinations.get((namespace, name))
            if found is None:
                return DestinationState(namespace, name, False, "", False, "", "", False, "", (), "", False)
            image = found.image.name if found.image else ""
            return DestinationState(
                namespace, name, True, found.restore_as_of, found.ours, found.trigger, found.last_trigger, found.running,
                found.result, found.log, image, found.image is not None and found.image.ready, found.condition,
                found.copy_method, found.image.uid if found.image else "",
            )  # fmt: skip

    def source(self, namespace: str, name: str) -> SourceBackups:
        """See ports.ClaimsView."""
        with self._world.looking():
            found = self._kube.objects().sources.get((namespace, name))
            if found is None:
                return SourceBackups(namespace, name, False, "", False, 0.0, "", ())
            return SourceBackups(
                namespace, name, True, found.claim, found.running, found.last_sync, found.result, found.log, found.condition,
                (("last", str(found.retain_last)),), found.manual, found.last_manual, found.schedule,
            )  # fmt: skip

    def contents(self, namespace: str, claim_or_image: str, *, hashes: Sequence[str] | None) -> Listing:
        """See ports.ClaimsView."""
        with self._world.looking():
            objects = self._kube.objects()
            for destination in objects.destinations.values():
                if destination.namespace == namespace and destination.image and destination.image.name == claim_or_image:
                    entries = destination.image.entries
                    break
            else:
                claim = objects.claims.get((namespace, claim_or_image))
                if claim is None:
                    raise PermanentError(f"no image or claim {namespace}/{claim_or_image}")
                entries = claim.entries
            return Listing(
                tuple(e if hashes is None or e.path in hashes else replace(e, sha256="") for e in entries), complete=True
            )

    def pin(self, namespace: str, destination: str, restore_as_of: str, trigger: str) -> None:
        """See ports.Claims."""
        with self._world.looking():
            objects, found = self._destination(namespace, destination)
            if not (found.ours and found.trigger != found.last_trigger):
                found.trigger = numbered(trigger, found.last_trigger)  # one that ran already is not run again
            found.restore_as_of, found.ours = restore_as_of, True
            self._volsync.nudge(objects, found)

    def unpin(self, namespace: str, destination: str) -> None:
        """See ports.Claims."""
        with self._world.looking():
            _, found = self._destination(namespace, destination)
            found.restore_as_of, found.ours = "", False

    def nudge(self, kind: str, namespace: str, name: str) -> None:
        """See ports.Claims."""
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
        """See ports.Claims."""
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
                del objects.claims[(namespace, name)]

    def back_up_now(self, namespace: str, source: str, trigger: str) -> str:
        """See ports.Claims."""
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
