"""The Claims port: claims, destinations and sources as VolSync 0.16 keeps them, pins with our own field manager.

Knows the volsync.backube API (v1alpha1) and no policy: what may be restored is the hold's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from adapters.kubernetes.client import FIELD_MANAGER, ApiClient, Clients
from adapters.kubernetes.errors import FieldConflict, KindNotServed, ObjectAbsent
from adapters.kubernetes.kinds import CLAIM, REPLICATION_DESTINATION, REPLICATION_SOURCE, SNAPSHOT, VOLUME, Kind
from adapters.kubernetes.objects import Obj, condition, dig, name_of, owners, owns, seconds, table, text
from adapters.volsync.blocked import blocked_by
from adapters.volsync.contents import Reader
from adapters.volsync.readerjob import warning_about
from adapters.volsync.results import (
    ClaimPhase,
    ClaimState,
    Compared,
    DestinationState,
    Listing,
    Meanwhile,
    Sight,
    Snapshot,
    SourceBackups,
    idle,
)
from adapters.volsync.trigger import is_of, numbered
from engine.errors import PermanentError
from engine.waiting import Clock

NUDGE = "blackstart/nudge"
INSTEAD_OF = "blackstart/instead-of"
"""What a destination restored from before it was turned to another Secret: whoever turns it back needs nothing but the cluster."""
_LEFT_ALONE = {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
_OURS_TO_TAKE = (".spec.trigger.manual", ".spec.restic.repository", "/reconcile")
_POPULATED_FROM = "volsync.backube/populated-from"
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (CLAIM, REPLICATION_SOURCE, REPLICATION_DESTINATION)}
)
_NOT_SERVED = "the cluster does not serve VolSync's kinds yet"


class VolSyncClaims:
    """The Claims port on a real API."""

    def __init__(self, clients: Clients, clock: Clock, reader: Reader) -> None:
        self._clients, self._clock, self._reader = clients, clock, reader

    def claim(self, namespace: str, name: str) -> ClaimState:
        """The claim; of one that waits, the newest warning is the detail."""
        client = self._clients.main()
        found = client.get(CLAIM, name, namespace)
        if found is None:
            return ClaimState(namespace, name, ClaimPhase.ABSENT, "", "", "")
        phase = ClaimPhase(text(found, "status", "phase").lower() or ClaimPhase.PENDING.value)
        source = table(found, "spec", "dataSourceRef")
        volume = client.get(VOLUME, text(found, "spec", "volumeName")) if text(found, "spec", "volumeName") else None
        detail = warning_about(client, namespace, found) if phase is ClaimPhase.PENDING else ""
        return ClaimState(
            namespace,
            name,
            phase,
            uid=text(found, "metadata", "uid"),
            # Written as namespace/snapshot.
            populated_from=text(volume or {}, "metadata", "annotations", _POPULATED_FROM).rpartition("/")[2],
            destination=text(source, "name") if source.get("kind") == REPLICATION_DESTINATION.name else "",
            detail="being deleted" if text(found, "metadata", "deletionTimestamp") else detail,
            volume=handle_of(volume) if volume else "",
            deleting=bool(text(found, "metadata", "deletionTimestamp")),
            created=seconds(text(found, "metadata", "creationTimestamp")),
        )

    def destination(self, namespace: str, name: str) -> DestinationState:
        """The ReplicationDestination; `present` False also while VolSync's kinds are not served (see `condition`)."""
        client = self._clients.main()
        try:
            found = client.get(REPLICATION_DESTINATION, name, namespace)
        except KindNotServed:
            return _absent(namespace, name, _NOT_SERVED)
        if found is None:
            return _absent(namespace, name, "")
        status = table(found, "status")
        image = text(status, "latestImage", "name") if text(status, "latestImage", "kind") == SNAPSHOT.name else ""
        snapshot = (client.get(SNAPSHOT, image, namespace) if image else None) or {}
        return DestinationState(
            namespace,
            name,
            present=True,
            restore_as_of=text(found, "spec", "restic", "restoreAsOf"),
            ours=owns(found, FIELD_MANAGER, "spec", "restic", "restoreAsOf"),
            trigger=text(found, "spec", "trigger", "manual"),
            last_trigger=text(status, "lastManualSync"),
            running=_running(found),
            result=text(status, "latestMoverStatus", "result"),
            log=tuple(text(status, "latestMoverStatus", "logs").splitlines()),
            image=image,
            image_ready=_ready(snapshot),
            condition=_told(client, found),
            copy_method=text(found, "spec", "restic", "copyMethod"),
            image_uid=text(snapshot, "metadata", "uid"),
            repository=text(found, "spec", "restic", "repository"),
            instead_of=text(found, "metadata", "annotations", INSTEAD_OF),
        )

    def source(self, namespace: str, name: str) -> SourceBackups:
        """The ReplicationSource; `present` False also while VolSync's kinds are not served (see `condition`)."""
        try:
            found = self._clients.main().get(REPLICATION_SOURCE, name, namespace)
        except KindNotServed:
            return SourceBackups(namespace, name, False, "", False, 0.0, "", (), _NOT_SERVED)
        if found is None:
            return SourceBackups(namespace, name, False, "", False, 0.0, "", ())
        status = table(found, "status")
        return SourceBackups(
            namespace,
            name,
            present=True,
            claim=text(found, "spec", "sourcePVC"),
            running=_running(found),
            last_sync=seconds(text(status, "lastSyncTime")),
            result=text(status, "latestMoverStatus", "result"),
            log=tuple(text(status, "latestMoverStatus", "logs").splitlines()),
            condition=_told(self._clients.main(), found),
            retain=tuple((k, str(v)) for k, v in sorted(table(found, "spec", "restic", "retain").items())),
            manual=text(found, "spec", "trigger", "manual"),
            last_manual=text(status, "lastManualSync"),
            schedule=text(found, "spec", "trigger", "schedule"),
            paused=dig(found, "spec", "paused") is True,
        )

    def contents(self, namespace: str, claim_or_image: str, *, hashed: bool) -> Listing:
        """What the image (or the claim) holds, read by a Job of ours in the cluster."""
        return self._reader.read(namespace, claim_or_image, hashed=hashed)

    def compare(
        self, namespace: str, claim_or_image: str, destination: str, against: Snapshot, meanwhile: Meanwhile = idle
    ) -> Compared:
        """Hold it against a snapshot, by restic in a pod like the mover's."""
        return self._reader.compare(namespace, claim_or_image, destination, against, meanwhile)

    def repository_seen(self, namespace: str, destination: str, secret: str) -> Sight:
        """Which repository it is, by restic in a pod like the mover's."""
        return self._reader.identify(namespace, destination, secret)

    def pin(self, namespace: str, destination: str, restore_as_of: str, trigger: str, secret: str = "") -> None:
        """Set restoreAsOf and previous 0; the trigger only when the destination has already run its present one.

        (A fresh destination has its first run before it, and the hold keeps that back for the pin.) Another `secret` than it has
        goes with them, in one piece with what keeps Flux from putting it back. Raises PermanentError with Git's value when
        somebody else holds another restoreAsOf or previous.
        """
        client = self._clients.main()
        found = _demanded(client, REPLICATION_DESTINATION, namespace, destination)
        turned, marks = _turned(found, secret)
        spec: Obj = {"restic": {"restoreAsOf": restore_as_of, "previous": 0} | turned}
        token = _token(found, trigger)
        if token:
            spec["trigger"] = {"manual": token}
        try:
            _apply(client, REPLICATION_DESTINATION, found, spec, marks)
        except FieldConflict as error:
            foreign = [field for field in error.fields if not field.endswith(_OURS_TO_TAKE)]
            if foreign:
                raise _held_by_another(found, error) from error
            # A new run needs a new token, and another repository its Secret: whoever wrote the old ones (Flux) owns those fields.
            _apply(client, REPLICATION_DESTINATION, found, spec, marks, force=True)

    def unpin(self, namespace: str, destination: str) -> None:
        """Take our restoreAsOf and previous away, and turn it back; nothing when the destination is gone."""
        client = self._clients.main()
        found = client.get(REPLICATION_DESTINATION, destination, namespace)
        if found is None:
            return
        restic, _ = _turned(found, "")
        spec: Obj = {"restic": restic} if restic else {}
        if owns(found, FIELD_MANAGER, "spec", "trigger", "manual"):
            # A destination without a trigger restores again and again.
            spec["trigger"] = {"manual": text(found, "spec", "trigger", "manual")}
        _apply(client, REPLICATION_DESTINATION, found, spec)

    def nudge(self, kind: str, namespace: str, name: str) -> None:
        """Annotate it; `kind` is PersistentVolumeClaim, ReplicationSource or ReplicationDestination."""
        stamp = f"{self._clock.now():.3f}"
        self._clients.main().merge(_KINDS[kind], name, {"metadata": {"annotations": {NUDGE: stamp}}}, namespace)

    def delete_claim(self, namespace: str, name: str, uid: str) -> None:
        """Delete the claim if it still is the one with this uid; nothing when it is gone, Changed when it is another."""
        if not uid:
            raise PermanentError(f"Claim {namespace}/{name} is not deleted without the uid that was seen")
        self._clients.main().delete(CLAIM, name, namespace, uid=uid)

    def back_up_now(self, namespace: str, source: str, trigger: str) -> str:
        """Set the manual trigger, numbered if it ran already, and answer it; with "" take ours away where there is a schedule."""
        client = self._clients.main()
        found = _demanded(client, REPLICATION_SOURCE, namespace, source)
        present, last = text(found, "spec", "trigger", "manual"), text(found, "status", "lastManualSync")
        ours = owns(found, FIELD_MANAGER, "spec", "trigger", "manual")
        if not trigger:
            # A source without any trigger backs up again and again (the one that Git may set comes back with Flux's next look).
            token = present if ours and not text(found, "spec", "trigger", "schedule") else ""
        else:
            pending = ours and is_of(present, trigger) and present != last
            token = present if pending else numbered(trigger, last)
        _apply(client, REPLICATION_SOURCE, found, {"trigger": {"manual": token}} if token else {}, force=bool(trigger))
        return token


def _absent(namespace: str, name: str, why: str) -> DestinationState:
    return DestinationState(namespace, name, False, "", False, "", "", False, "", (), "", False, why)


def _demanded(client: ApiClient, kind: Kind, namespace: str, name: str) -> Obj:
    found = client.get(kind, name, namespace)
    if found is None:
        raise ObjectAbsent(f"There is no {kind.name} {namespace}/{name}", hint="Flux has not applied it yet")
    return found


def _turned(found: Obj, secret: str) -> tuple[Obj, Obj]:
    """What our apply holds of `spec.restic`, and which annotations, so that the destination restores from this Secret ("": from
    what it did before).

    What we have taken from Flux once is set back by value: a field that is only let go of would be gone.
    """
    present = text(found, "spec", "restic", "repository")
    before = text(found, "metadata", "annotations", INSTEAD_OF) or present
    if secret and secret != before:
        return {"repository": secret}, {INSTEAD_OF: before, **_LEFT_ALONE}
    holders = owners(found, "spec", "restic", "repository")
    alone = FIELD_MANAGER in holders and (present != before or len(holders) == 1)
    return ({"repository": before} if alone else {}), {}


def _apply(client: ApiClient, kind: Kind, found: Obj, spec: Obj, marks: Obj | None = None, *, force: bool = False) -> None:
    # With its uid an object that was deleted meanwhile is not made anew out of our few fields.
    metadata: Obj = {key: text(found, "metadata", key) for key in ("name", "namespace", "uid")}
    if marks:
        metadata["annotations"] = marks
    client.apply(kind, {"metadata": metadata, "spec": spec}, force=force)


def _token(found: Obj, wanted: str) -> str:
    """The trigger to set, "" when the present one has not run yet. One that ran already gets a number."""
    present, last = text(found, "spec", "trigger", "manual"), text(found, "status", "lastManualSync")
    if not wanted or (present and present != last):
        # Ours must stay in what we apply, else server-side apply takes it away.
        return present if owns(found, FIELD_MANAGER, "spec", "trigger", "manual") else ""
    return numbered(wanted, last)


def _held_by_another(found: Obj, error: FieldConflict) -> PermanentError:
    told = [
        f"{field}: {dig(found, 'spec', 'restic', field)} (set by {', '.join(owners(found, 'spec', 'restic', field))})"
        for field in ("restoreAsOf", "previous")
        if dig(found, "spec", "restic", field) is not None
    ]
    return PermanentError(
        f"Somebody else sets what ReplicationDestination {name_of(found)} restores, and not to the pin",
        evidence=(*told, *error.fields),
        hint="take restoreAsOf and previous out of the ReplicationDestination in Git, or restore as of Git's time",
    )


def _running(found: Obj) -> bool:
    """Whether a sync is under way; one that the hold (or a missing Secret) keeps back is not."""
    syncing = condition(found, "Synchronizing")
    return bool(text(found, "status", "lastSyncStartTime")) and syncing.get("reason") != "Error"


def _told(client: ApiClient, found: Obj) -> str:
    """Its own words, and while it is under way those of what it waits for."""
    syncing = condition(found, "Synchronizing")
    own = ": ".join(part for part in (text(syncing, "reason"), text(syncing, "message")) if part)
    return "; ".join(part for part in (own, blocked_by(client, found) if _running(found) else "") if part)


def handle_of(volume: Obj) -> str:
    """What the storage calls it: a PersistentVolume may be made again under its old name."""
    csi = table(volume, "spec", "csi")
    return f"{text(csi, 'driver')} {text(csi, 'volumeHandle')}" if csi else name_of(volume)


def _ready(snapshot: Obj) -> bool:
    return dig(snapshot, "status", "readyToUse") is True and not table(snapshot, "status", "error")
