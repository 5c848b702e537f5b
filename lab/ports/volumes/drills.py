"""The drills port, in process, on the modelled cluster and its store."""

from __future__ import annotations

from dataclasses import replace

from adapters.drills.results import (
    Damage,
    Examination,
    Examined,
    FenceTrial,
    FenceWall,
    Found,
    Health,
    Order,
    Phase,
    Restore,
    Scheduled,
    Scratch,
    Sent,
    Trouble,
    Twist,
)
from adapters.kubernetes.results import LeaseHolder
from adapters.volsync.results import Compared, Listing, Meanwhile, idle
from engine.errors import PermanentError, TransientError
from lab.ports.volumes.claims import checked
from lab.world.cluster.drills import LabDrill, ScratchClaim
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.store import StoredRepository
from lab.world.store import Trouble as StoreTrouble

SCRATCH = "blackstart-rehearsal"
CLEARED_S = 3.0
CANARY_S = 8.0
EXAMINED_S = 4.0
TROUBLES = {
    StoreTrouble.DAMAGED: Trouble.DAMAGED,
    StoreTrouble.REFUSED: Trouble.WRONG_PASSWORD,
    StoreTrouble.UNREACHABLE: Trouble.UNREACHABLE,
    StoreTrouble.FOREIGN: Trouble.NO_REPOSITORY,
}


class ModelledDrills:
    """Drills port (ports.Drills)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube
        self._world = kube.world

    def scratch(self) -> Scratch | None:
        """See ports.DrillsView."""
        with self._world.looking():
            drill = self._kube.objects().drill
            if drill is None:
                return None
            left = (f"namespace {SCRATCH}", *(f"claim {name}" for name in sorted(drill.claims)))
            return Scratch(SCRATCH, drill.drill, drill.deleting, tuple(sorted(drill.notes.items())), left)

    def restored(self, into: str) -> Restore:
        """See ports.DrillsView."""
        with self._world.looking():
            drill = self._kube.objects().drill
            claim = drill.claims.get(into) if drill is not None else None
            return claim.state if claim is not None else Restore(Phase.ABSENT)

    def examined(self, of: Examination) -> Examined:
        """See ports.DrillsView."""
        with self._world.looking():
            drill = self._kube.objects().drill
            claim = drill.claims.get(of.order.into) if drill is not None else None
            return claim.examined.get(of.probe, Examined(Phase.ABSENT)) if claim is not None else Examined(Phase.ABSENT)

    def fence_in(self, drill: str) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.drill is None:
                objects.drill = LabDrill(drill)
                self._world.happened("drills", f"fenced in {drill}")
            elif objects.drill.deleting:
                raise TransientError("the scratch namespace of an earlier drill is still being deleted")
            elif objects.drill.drill != drill:
                raise PermanentError(f"the scratch namespace is that of another drill, {objects.drill.drill}")

    def try_fence(self, namespace: str, destination: str) -> tuple[FenceTrial, ...]:
        """See ports.Drills."""
        with self._world.looking():
            objects, _ = self._here()
            reached = not self._kube.store.down
            return tuple(
                FenceTrial(wall, proven, "held in its trial" if proven else "did not hold in its trial")
                for wall in FenceWall
                for proven in (wall not in objects.rigged.open_walls and (reached or wall is not FenceWall.STORE),)
            )

    def canary(self) -> Sent:
        """See ports.DrillsView."""
        with self._world.looking():
            drill = self._kube.objects().drill
            return drill.canary if drill is not None else Sent(Phase.ABSENT)

    def scheduled(self, namespace: str, name: str) -> Scheduled | None:
        """See ports.DrillsView."""
        with self._world.looking():
            return self._kube.objects().scheduled.get((namespace, name))

    def send_canary(self, namespace: str, destination: str, word: str) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects, drill = self._here()
            if (namespace, destination) not in objects.destinations:
                raise PermanentError(f"no ReplicationDestination {namespace}/{destination}")
            if drill.canary.phase is not Phase.ABSENT:
                return
            drill.canary = Sent(Phase.RUNNING, word)

            def backed_up() -> None:
                if objects.drill is drill and not objects.rigged.dumb and not self._kube.store.down:
                    drill.canary = Sent(Phase.DONE, word)

            self._world.after(CANARY_S, "the canary is backed up", backed_up)

    def find_canary(self, namespace: str, destination: str) -> Found:
        """See ports.Drills."""
        with self._world.looking():
            objects, drill = self._here()
            if self._kube.store.down:
                return Found(None, Trouble.UNREACHABLE)
            if drill.canary.phase is not Phase.DONE:
                return Found(None, Trouble.NO_REPOSITORY)
            return objects.rigged.canary or Found(drill.canary.word)

    def restore(self, order: Order) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects, drill = self._here()
            if order.into in drill.claims:
                return
            if (order.namespace, order.destination) not in objects.destinations:
                raise PermanentError(f"no ReplicationDestination {order.namespace}/{order.destination}")
            claim = drill.claims[order.into] = ScratchClaim(order)
            self._world.happened("drills", f"restores into {order.into}")
            delay = self._kube.delays.restore_s + objects.rigged.slow_s
            self._world.after(delay, f"restore {order.into}", lambda: self._ended(objects, drill, claim, delay))

    def _ended(self, objects: Objects, drill: LabDrill, claim: ScratchClaim, seconds: float) -> None:
        if objects.drill is not drill or drill.deleting or not self._kube.alive(objects):
            return
        trouble = Trouble.NOT_STARTED if not objects.rigged.room else self._trouble(objects, claim.order)
        if trouble is not None:
            claim.state = Restore(Phase.FAILED, trouble, trouble.value)
            return
        repository = self._repository(objects, claim.order)
        assert repository is not None  # else it were a trouble
        wanted = claim.order.snapshot.snapshot_id
        entries = next(s.entries for s in repository.snapshots if s.snapshot_id == wanted)
        spoil = objects.rigged.spoil
        claim.entries = spoil(claim.order.into, entries) if spoil is not None else entries
        size = sum(entry.size for entry in claim.entries)
        received = None if objects.rigged.uncounted else size
        hit = _damaged(claim)
        claim.state = Restore(Phase.DONE, seconds=seconds, bytes=size, received=received, damaged=hit)

    def _trouble(self, objects: Objects, order: Order) -> Trouble | None:
        repository = self._repository(objects, order)
        if self._kube.store.down:
            return Trouble.UNREACHABLE
        if order.twist is Twist.EMPTY_REPOSITORY or repository is None:
            return Trouble.NO_REPOSITORY
        if order.twist is Twist.WRONG_PASSWORD:
            return Trouble.WRONG_PASSWORD
        if repository.trouble is not None:
            return TROUBLES[repository.trouble]
        if repository.repository_id != order.snapshot.repository_id:
            return Trouble.OTHER_REPOSITORY
        there = order.snapshot.snapshot_id in {snapshot.snapshot_id for snapshot in repository.snapshots}
        return None if there else Trouble.NO_SNAPSHOT

    def _repository(self, objects: Objects, order: Order) -> StoredRepository | None:
        own = objects.destinations[(order.namespace, order.destination)].address
        return self._kube.store.repositories.get(self._kube.address_of(order.namespace, order.secret) if order.secret else own)

    def compare(self, order: Order, meanwhile: Meanwhile = idle, *, anew: bool = False) -> Compared:
        """See ports.Drills."""
        against = order.wanted
        meanwhile()
        with self._world.looking():
            objects, drill = self._here()
            claim = drill.claims.get(order.into)
            if claim is None or claim.state.phase is not Phase.DONE:
                raise PermanentError(f"nothing was restored into {order.into}")
            entries = claim.entries
            trouble = self._trouble(objects, replace(order, snapshot=against, twist=Twist.NONE))
            if trouble is Trouble.OTHER_REPOSITORY:
                raise PermanentError("the mover opens another repository than the restore point's")
            if trouble is not None:
                return Compared(Listing(entries, complete=True), None, trouble.value)
            repository = self._repository(objects, order)
            assert repository is not None  # else it were a trouble
            wanted = next(s.entries for s in repository.snapshots if s.snapshot_id == against.snapshot_id)
            if objects.rigged.blind:
                entries = wanted
            return Compared(Listing(tuple(replace(e, sha256="") for e in entries), complete=True), checked(wanted, entries))

    def examine(self, of: Examination) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects, drill = self._here()
            claim = drill.claims.get(of.order.into)
            if claim is None or claim.state.phase is not Phase.DONE:
                raise PermanentError(f"nothing was restored into {of.order.into}")
            if of.probe in claim.examined:
                return
            claim.examined[of.probe] = Examined(Phase.RUNNING)

            def ended() -> None:
                if objects.drill is drill:
                    ails = objects.rigged.ails
                    claim.examined[of.probe] = (ails(of, claim.entries) if ails is not None else None) or seen_by(of, claim)

            self._world.after(EXAMINED_S, f"probe {of.probe.name} of {of.order.into}", ended)

    def note(self, key: str, value: str) -> None:
        """See ports.Drills."""
        with self._world.looking():
            _, drill = self._here()
            drill.notes[key] = value

    def clear(self) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects = self._kube.objects()
            drill = objects.drill
            if drill is None or drill.deleting:
                return
            drill.deleting = True

            def gone() -> None:
                if objects.drill is drill and not objects.rigged.stuck:
                    objects.drill = None

            self._world.after(CLEARED_S, "the scratch namespace goes", gone)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """See ports.Drills."""
        with self._world.looking():
            objects = self._kube.objects()
            held = objects.drill_lease
            if held is None or held.holder == holder or held.renewal == over:
                objects.renewals += 1
                objects.drill_lease = LeaseHolder(holder, str(objects.renewals))
            assert objects.drill_lease is not None  # just now, or somebody else's
            return objects.drill_lease

    def drop_lease(self, holder: str) -> None:
        """See ports.Drills."""
        with self._world.looking():
            objects = self._kube.objects()
            if objects.drill_lease is not None and objects.drill_lease.holder == holder:
                objects.drill_lease = None

    def _here(self) -> tuple[Objects, LabDrill]:
        objects = self._kube.objects()
        if objects.drill is None or objects.drill.deleting:
            raise PermanentError("there is no scratch namespace")
        return objects, objects.drill


def _damaged(claim: ScratchClaim) -> str:
    """Do the damage that the order asks for: the path that was hit, "" where there is nothing to hit, or nothing is asked."""
    damage = claim.order.damage
    hit = next((e for e in claim.entries if e.kind == "file" and (e.size or damage is not Damage.BYTE_FLIPPED)), None)
    if damage is None or hit is None:
        return ""
    flipped, owned = replace(hit, sha256="0" * 64), replace(hit, uid=hit.uid + 1)
    made = {Damage.BYTE_FLIPPED: (flipped,), Damage.FILE_GONE: (), Damage.OWNER_CHANGED: (owned,)}[damage]
    claim.entries = (*(e for e in claim.entries if e is not hit), *made)
    return hit.path


def seen_by(of: Examination, claim: ScratchClaim) -> Examined:
    """What a probe sees of a volume whose files are what they are called: the lab's entries have no bytes to look into."""
    there = {entry.path for entry in claim.entries if entry.size}
    wanted = of.probe.paths or tuple(sorted(there)[:1])
    lacking = [path for path in wanted if not any(one == path or one.startswith(f"{path}/") for one in there)]
    if lacking or not wanted:
        return Examined(Phase.DONE, Health.ILL, "; ".join(f"{path} is missing" for path in lacking) or "nothing is in it")
    return Examined(Phase.DONE, Health.SOUND, f"{len(wanted)} are there, and hold something")
