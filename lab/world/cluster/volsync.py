"""VolSync as it behaves: the first backup at once, an empty restore called Successful, back-off that only progress resets.

Knows the modelled cluster and the store; the source of each rule is what the real controller was seen to do.
"""

from __future__ import annotations

from house.model import BackedUpClaim
from lab.world.cluster import mover
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.mover import Moved
from lab.world.cluster.volumes import Claim, Destination, Image, LabKept, Source
from lab.world.store import a_file

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 1000.0
JOB_TRIES, FIRST_JOB_RETRY_S, LAST_JOB_RETRY_S = 8, 10.0, 360.0
DEFAULT_FILE = a_file("settings.ini", "made by the application at its first start\n")


class VolSync:
    """The controller, its movers and the volume populator of one modelled cluster."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube
        self._world = kube.world

    def declare(self, objects: Objects, wanted: BackedUpClaim) -> None:
        """Flux applies what one application declares: claim, destination and source, those that are not there yet."""
        claim_key, destination_key = (wanted.namespace, wanted.claim), (wanted.namespace, wanted.destination)
        if destination_key not in objects.destinations:
            secret = wanted.git_secret
            address = self._kube.address_of(wanted.namespace, secret)
            destination = Destination(*destination_key, address, wanted.trigger, secret=secret)
            objects.destinations[destination_key] = destination
            self.consider_destination(objects, destination)
        elif not objects.destinations[destination_key].instead_of:
            self.turn(objects.destinations[destination_key], wanted.git_secret)
        if claim_key not in objects.claims:
            uid = f"uid-{wanted.claim}-{self._world.random.getrandbits(32):08x}"
            claim = Claim(*claim_key, uid, wanted.destination, created=self._world.clock.now())
            objects.claims[claim_key] = claim
            self.consider_claim(objects, claim)
        for place in wanted.sources:
            source_key = (wanted.namespace, place.source)
            if source_key not in objects.sources:
                address = self._kube.address_of(wanted.namespace, place.repository_secret)
                source = Source(*source_key, wanted.claim, address)
                objects.sources[source_key] = source
                self.consider_source(objects, source)

    def turn(self, destination: Destination, secret: str) -> None:
        """What it restores from is written."""
        if destination.secret != secret:
            destination.secret, destination.address = secret, self._kube.address_of(destination.namespace, secret)

    # Restore

    def consider_destination(self, objects: Objects, destination: Destination) -> None:
        """Start the mover if the trigger asks for it and the hold admits it."""
        if destination.running or destination.trigger == destination.last_trigger:
            return
        refused = self._kube.admits_restore(objects, destination)
        if refused:
            destination.condition = f"Error: {refused}"
            self._again(objects, destination)
            return
        destination.running, destination.condition, destination.tries = True, "SyncInProgress", 0
        self._world.happened("volsync", f"restores {destination.namespace}/{destination.name}")
        asked = (destination.trigger, destination.restore_as_of)
        self._world.after(
            self._kube.delays.restore_s, f"restore {destination.name}", lambda: self._restored(objects, destination, asked)
        )

    def _restored(self, objects: Objects, destination: Destination, asked: tuple[str, str]) -> None:
        destination.running = False
        if not self._kube.alive(objects):
            return
        if asked != (destination.trigger, destination.restore_as_of):
            # The Job's template is immutable: a destination that changed under it starts afresh.
            self.consider_destination(objects, destination)
            return
        moved = mover.restore(self._kube.store, destination.address, destination.restore_as_of)
        if moved.code:
            self._failed(objects, destination, moved)
            return
        destination.failures, destination.log = 0, moved.log
        destination.runs += 1
        stamp = f"{int(self._world.clock.now())}-{destination.runs}"
        entries = moved.snapshot.entries if moved.snapshot else ()
        destination.image = Image(f"volsync-{destination.name}-dest-{stamp}", entries)
        destination.result, destination.condition = "Successful", "WaitingForManual"
        destination.last_trigger = destination.trigger
        for claim in objects.claims.values():
            if (claim.namespace, claim.destination) == destination.key:
                self.consider_claim(objects, claim)

    # Population

    def consider_claim(self, objects: Objects, claim: Claim) -> None:
        """Fill the claim from its destination's image if there is one and the hold admits it."""
        destination = objects.destinations.get((claim.namespace, claim.destination))
        if claim.bound or claim.binding:
            return
        promised = next((one for one in objects.kept.values() if one.promised and one.key == claim.key), None)
        if promised is not None:
            claim.binding = True
            self._world.after(self._kube.delays.bind_s, f"bind {claim.name}", lambda: self._given_back(objects, claim, promised))
            return
        if destination is None or destination.image is None:
            return
        refused = self._kube.admits_population(objects, claim, destination.image.name)
        if refused:
            claim.detail = f"VolSyncPopulatorPVCCreationError: {refused}"
            self._again(objects, claim)
            return
        claim.binding, claim.tries = True, 0
        image = destination.image
        self._world.after(self._kube.delays.bind_s, f"bind {claim.name}", lambda: self._bound(objects, claim, image))

    def _bound(self, objects: Objects, claim: Claim, image: Image) -> None:
        if objects.claims.get(claim.key) is not claim:
            return
        claim.bound, claim.populated_from, claim.entries, claim.detail = True, image.name, image.entries, ""
        self._world.happened("volsync", f"{claim.namespace}/{claim.name} is filled from {image.name}")
        self._alive(objects, claim)

    def _given_back(self, objects: Objects, claim: Claim, kept: LabKept) -> None:
        """Kubernetes binds a claim to the volume that is promised to its name, whatever it would be filled from."""
        if objects.claims.get(claim.key) is not claim or not kept.promised:
            return
        claim.bound, claim.entries, claim.detail, claim.volume = True, kept.entries, "", kept.name
        kept.promised, kept.held_by = False, claim.uid
        self._world.happened("kubernetes", f"{claim.namespace}/{claim.name} is bound to {kept.name} again")
        self._alive(objects, claim)

    def _alive(self, objects: Objects, claim: Claim) -> None:
        self._world.after(self._kube.delays.start_s, f"start {claim.name}", lambda: self._started(objects, claim))
        for source in objects.sources.values():
            if (source.namespace, source.claim) == claim.key:
                self.consider_source(objects, source)

    def start_app(self, objects: Objects, key: tuple[str, str]) -> None:
        """The application's pods may run again; they start once the claim is bound."""
        claim = objects.claims.get(key)
        if claim is not None and claim.bound:
            self._world.after(self._kube.delays.start_s, f"start {claim.name}", lambda: self._started(objects, claim))

    def stop_app(self, objects: Objects, key: tuple[str, str]) -> None:
        """The application's pods are gone; a claim that only waited for them to be deleted goes too."""
        claim = objects.claims.get(key)
        if claim is not None:
            claim.app_ready = False
            if claim.deleting:
                self.remove(objects, claim)

    def remove(self, objects: Objects, claim: Claim) -> None:
        """The claim is gone, and its volume with it, unless that is kept."""
        del objects.claims[claim.key]
        kept = objects.kept.get(claim.bound_to) if claim.bound else None
        if kept is not None:
            kept.entries, kept.held_by = claim.entries, ""

    def _started(self, objects: Objects, claim: Claim) -> None:
        if objects.claims.get(claim.key) is not claim or claim.key in objects.resting:
            return
        if not claim.entries:
            claim.entries = (DEFAULT_FILE,)
        claim.app_ready = True

    # Backup

    def consider_source(self, objects: Objects, source: Source) -> None:
        """Copy the claim if a backup is wanted and the hold admits it. A new source wants one at once."""
        claim = objects.claims.get((source.namespace, source.claim))
        if source.running or source.paused or not source.wanted:
            return
        refused = self._kube.admits_backup(objects, source)
        if refused:
            source.condition = f"Error: {refused}"
            self._again(objects, source)
            return
        if claim is None or not claim.bound:
            return
        source.running, source.condition, source.tries = True, "SyncInProgress", 0
        began = self._world.clock.now()
        self._world.after(
            self._kube.delays.backup_s, f"back up {source.name}", lambda: self._backed_up(objects, source, claim, began)
        )

    def _backed_up(self, objects: Objects, source: Source, claim: Claim, began: float) -> None:
        source.running = False
        if not self._kube.alive(objects):
            return
        entries = claim.entries if objects.claims.get(claim.key) is claim else ()
        moved = mover.back_up(self._kube.store, source.address, entries, began, source.retain_last)
        if moved.code:
            self._failed(objects, source, moved)
            return
        source.wanted, source.condition, source.last_manual = False, "WaitingForSchedule", source.manual
        source.last_sync, source.result, source.log, source.failures = self._world.clock.now(), "Successful", moved.log, 0
        if moved.snapshot is not None:
            source.backups.append(moved.snapshot.snapshot_id)
            self._world.happened("volsync", f"backed up {claim.namespace}/{claim.name}: {moved.snapshot.snapshot_id[:8]}")

    # Trying again

    def _failed(self, objects: Objects, thing: Destination | Source, moved: Moved) -> None:
        """The Job tries its pod again, and after its last try VolSync tells of it and makes the Job anew."""
        self._world.happened("volsync", f"the mover of {thing.namespace}/{thing.name} ended with {moved.code}")
        if thing.failures == JOB_TRIES:
            thing.result, thing.log, thing.failures = "Failed", moved.log, 0
        else:
            thing.failures += 1
        delay = min(FIRST_JOB_RETRY_S * 2 ** max(0, thing.failures - 1), LAST_JOB_RETRY_S)
        if thing.retry is not None:
            thing.retry.cancel()
        thing.running = True  # to VolSync the Job is still at it
        thing.retry = self._world.after(delay, f"retry the mover of {thing.name}", lambda: self._next_try(objects, thing))

    def _next_try(self, objects: Objects, thing: Destination | Source) -> None:
        thing.running = False
        if self._kube.alive(objects):
            self.nudge(objects, thing)

    def nudge(self, objects: Objects, thing: Claim | Destination | Source) -> None:
        """Look at it now. The back-off's count stays: only progress resets it."""
        if isinstance(thing, Claim):
            self.consider_claim(objects, thing)
        elif isinstance(thing, Destination):
            self.consider_destination(objects, thing)
        else:
            self.consider_source(objects, thing)

    def _again(self, objects: Objects, thing: Claim | Destination | Source) -> None:
        if thing.retry is not None:
            thing.retry.cancel()
        delay = min(FIRST_RETRY_S * 2**thing.tries, LAST_RETRY_S)
        thing.tries = min(thing.tries + 1, 30)
        thing.retry = self._world.after(delay, f"retry {thing.name}", lambda: self.nudge(objects, thing))
