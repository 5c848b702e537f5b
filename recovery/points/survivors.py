"""Volumes of a cluster that is lost which may have outlived it, by the inventory; and which claims go back to theirs.

The inventory says where they lay and nothing of what is on them: that only a look at the volume says (recovery/points/weighing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState, KeptVolume
from adapters.volsync.results import ClaimPhase
from cluster.hold.standing import Way, standing
from engine.errors import BlackstartError
from house.known.inventory import CEPH_DRIVERS, Inventory, VolumeRecord, at, ceph_of, known_inventory
from house.model import BackedUpClaim, House
from recovery.points.kept import on_its_way, refuse_undoing
from recovery.points.weighing import WINS

_OUTSIDE = ("nfs", "nfs.csi.k8s.io", "smb.csi.k8s.io", "csi.san.synology.com")
_DEMOCRATIC = "org.democratic-csi."
_LONGHORN = "driver.longhorn.io"
_PAGE = "docs/storage.md"


class There(Enum):
    """Whether a volume of before outlives its cluster, as far as that is told by where it lies."""

    MAYBE = "it may be there"
    NO = "it is not there"
    UNKNOWN = "nobody can say"


@dataclass(frozen=True)
class Whereabouts:
    """One such answer, and why."""

    there: There
    why: str = ""


@dataclass(frozen=True)
class Survivor:
    """A volume that a claim had before, and when the inventory was taken that knows it (epoch seconds). `where`: whether it is
    still where it lay then, as far as that was told."""

    claim: BackedUpClaim
    volume: VolumeRecord
    since: float
    where: Whereabouts = Whereabouts(There.MAYBE)


def outlived(look: LookContext, house: House, claims: Collection[BackedUpClaim]) -> tuple[Survivor, ...]:
    """Of claims without a volume the one that each had before, and whether that lies where the loss of a cluster does not reach.

    A storage system that gives no answer makes nobody else's volume a lost one, and its own is in doubt: a silence is no loss. A
    claim of which the inventory knows several volumes has none here: nobody says which was in use. Raises SettingsInvalid for what
    is no inventory.
    """
    known = known_inventory(house)
    if known is None or known.cluster is None:
        return ()
    by_claim: dict[str, list[VolumeRecord]] = {}
    for one in known.cluster.volumes:
        by_claim.setdefault(one.claim, []).append(one)
    systems, since, found = _Systems(look, known), at(known.cluster.date), list[Survivor]()
    for claim in claims:
        if len(by_claim.get(claim.key, ())) != 1 or not _lost(look, claim):
            continue
        (volume,) = by_claim[claim.key]
        found.append(Survivor(claim, volume, since, systems.of(volume)))
    return tuple(found)


def whereabouts(look: LookContext, house: House, volume: VolumeRecord) -> Whereabouts:
    """Whether this volume of the inventory may be there now."""
    known = known_inventory(house)
    return _Systems(look, known).of(volume) if known is not None else Whereabouts(There.UNKNOWN, "there is no inventory any more")


def _lost(look: LookContext, claim: BackedUpClaim) -> bool:
    """Whether it has no volume now, and nobody let it go without one."""
    there = standing(look.hold, look.claims, claim)
    return there.way in (Way.OPEN, Way.HELD, Way.PROVEN, Way.LOST) and there.now.phase is not ClaimPhase.BOUND


@dataclass(frozen=True)
class _Told:
    """What was told of what lives, and by whom nothing was."""

    names: frozenset[str]
    silent: tuple[str, ...] = ()

    def of(self, name: str, lives: str) -> Whereabouts:
        if name in self.names:
            return Whereabouts(There.MAYBE, lives)
        return Whereabouts(There.UNKNOWN, "; ".join(self.silent)) if self.silent else Whereabouts(There.NO)


class _Systems:
    """What storage systems that live say of volumes of before, each asked once."""

    def __init__(self, look: LookContext, known: Inventory) -> None:
        self._look, self._known = look, known

    def of(self, volume: VolumeRecord) -> Whereabouts:
        """Whether it outlives a cluster."""
        if volume.node:
            return Whereabouts(There.NO, "on that node's own disk, which a rebuild makes anew")
        if volume.driver in _OUTSIDE or volume.driver.startswith(_DEMOCRATIC):
            return Whereabouts(There.MAYBE, "it lies outside of the cluster")
        if volume.driver.endswith(CEPH_DRIVERS):
            return self._on_ceph(volume.driver, ceph_of(volume, self._known))
        if volume.driver == _LONGHORN:
            return self._longhorn.of(volume.handle, "Longhorn has it")
        return Whereabouts(There.NO)

    def _on_ceph(self, driver: str, fsid: str) -> Whereabouts:
        """A driver whose name has no prefix of Rook's may be of a Ceph elsewhere, which nobody here can ask."""
        if not fsid:
            return Whereabouts(There.UNKNOWN, "the inventory does not say on which Ceph it lies")
        found = self._in_reach(fsid)
        if found.there is There.NO and driver in CEPH_DRIVERS and fsid not in self._ceph_of_before:
            return Whereabouts(There.UNKNOWN, f"it lies on Ceph {fsid}, neither Rook's nor the hosts': it cannot be asked")
        return found

    @property
    def _ceph_of_before(self) -> set[str]:
        return {one.fsid for part in (self._known.cluster, self._known.machines) if part is not None for one in part.ceph}

    def _in_reach(self, fsid: str) -> Whereabouts:
        """That of the hosts is asked only where it can be that one: a silent Proxmox says nothing of a Ceph in the cluster."""
        hosted = {one.fsid for one in (self._known.machines.ceph if self._known.machines is not None else ())}
        in_cluster = self._rook.of(fsid, "a Ceph of its fsid lives")
        if in_cluster.there is There.MAYBE or (hosted and fsid not in hosted and "" not in hosted):
            return in_cluster
        on_hosts = self._hosted.of(fsid, "the hosts' Ceph of its fsid lives")
        return on_hosts if on_hosts.there is not There.NO else in_cluster

    @cached_property
    def _longhorn(self) -> _Told:
        return _asked(
            "Longhorn", lambda: _Told(frozenset(one.name for one in self._look.cluster.longhorn(("volumes",)).volumes))
        )

    @cached_property
    def _rook(self) -> _Told:
        def ask() -> _Told:
            found = self._look.cluster.ceph_clusters()
            mute = tuple(f"the Ceph of Rook's {one.namespace} does not say its fsid" for one in found if not one.fsid)
            return _Told(frozenset(one.fsid for one in found if one.fsid), mute)

        return _asked("Rook", ask)

    @cached_property
    def _hosted(self) -> _Told:
        def ask() -> _Told:
            hosted, off = self._look.proxmox.ceph(), self._look.proxmox.cluster().offline
            if hosted is not None and hosted.status.fsid:
                return _Told(frozenset((hosted.status.fsid,)))
            mute = "the hosts' Ceph does not say its fsid" if hosted is not None else ""
            return _Told(frozenset(), tuple(filter(None, (mute, *(f"host {one} is off, and may have a Ceph" for one in off)))))

        return _asked("Proxmox", ask)


def _asked(whom: str, ask: Callable[[], _Told]) -> _Told:
    """What it says, or that it was silent: of volumes of before that is an answer of its own, and stops no other claim."""
    try:
        return ask()
    except BlackstartError as error:
        return _Told(frozenset(), (f"{whom} could not be asked: {error.what}",))


def by_hand(house: House, survivor: Survivor) -> str:
    """What a person does about a volume that is not looked at unasked: nobody says that it is still there."""
    known, volume = known_inventory(house), survivor.volume
    if volume.driver == _LONGHORN and known is not None and known.cluster is not None:
        record = next((one for one in known.cluster.longhorn if one.name == volume.handle), None)
        whole = [one for one in record.replicas if not one.failed] if record is not None else []
        if whole:
            took = f"longhornctl export replica --name={whole[0].folder} --target-dir=/var/tmp/blackstart"
            return f"{took}   # a folder on {whole[0].node}, if its disk was kept: {_PAGE}"
    if survivor.where.there is There.UNKNOWN:
        return f"invoke dr.survivors --claims {survivor.claim.key}   # once somebody answers for it: {survivor.where.why}"
    if volume.driver.endswith(CEPH_DRIVERS):
        return f"kubectl get cephcluster -A   # no Ceph of that fsid is here; the way back of one whose disks were kept: {_PAGE}"
    return f"invoke dr.survivors --claims {survivor.claim.key}   # where the disk that it lay on was kept"


def volume_of(doors: LookContext | ActContext, survivor: Survivor) -> KeptVolume | None:
    """The survivor as it was written here again, None where it was not yet."""
    name, key = survivor.volume.name, survivor.claim.key
    return next((one for one in doors.kept.volumes() if one.brought and (one.name, one.key) == (name, key)), None)


def brought_of(doors: LookContext | ActContext, key: str) -> KeptVolume | None:
    """The volume of before of the claim `namespace/name` that was written here again, None for none."""
    return next((one for one in doors.kept.volumes() if one.brought and one.key == key), None)


def winners(look: LookContext, claims: Collection[BackedUpClaim], *, as_of: float = 0.0) -> dict[str, KeptVolume]:
    """Claims by key that go back to the volume that they had before, and that volume: it was looked at, won by the rule, and no
    other time was named (`as_of`, 0.0 for none). One that is on its way there goes on; PermanentError where that is to end."""
    kept = {one.name: one for one in look.kept.volumes() if one.brought}
    if not kept:
        return {}
    record, chosen = look.hold.record(), dict[str, KeptVolume]()
    for claim in claims:
        entry = record.claim(claim.namespace, claim.claim)
        going = kept.get(entry.undo) if entry is not None else None
        if going is not None and (on_its_way(entry) or going.state in (KeptState.IN_USE, KeptState.PROMISED)):
            if as_of and entry is not None:
                refuse_undoing(entry)
            chosen[claim.key] = going
        elif not as_of and not (entry is not None and entry.pin) and (won := _won(look, claim, kept.values())) is not None:
            chosen[claim.key] = won
    return chosen


def _won(look: LookContext, claim: BackedUpClaim, kept: Iterable[KeptVolume]) -> KeptVolume | None:
    mine = (one for one in kept if one.key == claim.key and one.state is KeptState.FREE and one.found is not None)
    best = next((one for one in mine if one.found is not None and one.found.word in WINS), None)
    return best if best is not None and _lost(look, claim) else None
