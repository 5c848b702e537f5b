"""Volumes of a cluster that is lost which may have outlived it, by the inventory; and which claims go back to theirs.

The inventory says where they lay and nothing of what is on them: that only a look at the volume says (recovery/weighing.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState, KeptVolume
from adapters.volsync.results import ClaimPhase
from cluster.standing import Way, standing
from house.inventory import VolumeRecord, at, known_inventory
from house.model import BackedUpClaim, House
from recovery.kept import on_its_way, refuse_undoing
from recovery.weighing import WINS

_OUTSIDE = ("nfs", "nfs.csi.k8s.io", "smb.csi.k8s.io", "csi.san.synology.com")
_DEMOCRATIC = "org.democratic-csi."
_CEPH = ("rbd.csi.ceph.com", "cephfs.csi.ceph.com")
_LONGHORN = "driver.longhorn.io"
_PAGE = "docs/storage.md"


@dataclass(frozen=True)
class Survivor:
    """A volume that a claim had before, and when the inventory was taken that knows it (epoch seconds)."""

    claim: BackedUpClaim
    volume: VolumeRecord
    since: float


def outlived(
    look: LookContext, house: House, claims: Collection[BackedUpClaim], *, all_kinds: bool = False
) -> tuple[Survivor, ...]:
    """Of claims without a volume, those whose volume lies where the loss of a cluster does not reach, one each.

    `all_kinds`: also what lies on a node's own disk, or in a storage system that does not say that it has it. A claim of which the
    inventory knows several volumes has none here: nobody says which was in use. Raises SettingsInvalid for what is no inventory.
    """
    known = known_inventory(house)
    if known is None or known.cluster is None:
        return ()
    by_claim: dict[str, list[VolumeRecord]] = {}
    for one in known.cluster.volumes:
        by_claim.setdefault(one.claim, []).append(one)
    lost = (claim for claim in claims if len(by_claim.get(claim.key, ())) == 1 and _lost(look, claim))
    found = (Survivor(claim, by_claim[claim.key][0], at(known.cluster.date)) for claim in lost)
    there = _Systems(look, {(one.namespace, one.fsid) for one in known.cluster.ceph})
    return tuple(one for one in found if all_kinds or there.may_have(one.volume))


def _lost(look: LookContext, claim: BackedUpClaim) -> bool:
    """Whether it has no volume now, and nobody let it go without one."""
    there = standing(look.hold, look.claims, claim)
    return there.way in (Way.OPEN, Way.HELD, Way.PROVEN, Way.LOST) and there.now.phase is not ClaimPhase.BOUND


class _Systems:
    """What storage systems that live say of volumes of before, each asked once. `ceph` are those that the inventory knows:
    namespace and fsid."""

    def __init__(self, look: LookContext, ceph: set[tuple[str, str]]) -> None:
        self._look, self._ceph = look, dict(ceph)

    def may_have(self, volume: VolumeRecord) -> bool:
        """Whether it outlives a cluster, as far as that is told by where it lies. Raises TransientError where that is not told."""
        if volume.node:
            return False  # on that node's own disk, which a rebuild makes anew
        if volume.driver in _OUTSIDE or volume.driver.startswith(_DEMOCRATIC):
            return True
        if volume.driver.endswith(_CEPH):
            return self._fsid(volume) in self._living
        if volume.driver == _LONGHORN:
            return volume.handle in self._longhorn
        return False

    def _fsid(self, volume: VolumeRecord) -> str:
        """Of which Ceph it is: ceph-csi's clusterID is Rook's namespace, or the fsid itself."""
        named = dict(volume.attributes).get("clusterID", "")
        return self._ceph.get(named, named)

    @cached_property
    def _longhorn(self) -> frozenset[str]:
        return frozenset(one.name for one in self._look.cluster.longhorn(("volumes",)).volumes)

    @cached_property
    def _living(self) -> frozenset[str]:
        hosted = self._look.proxmox.ceph()
        told = (*(one.fsid for one in self._look.cluster.ceph_clusters()), hosted.status.fsid if hosted is not None else "")
        return frozenset(filter(None, told))


def by_hand(house: House, survivor: Survivor) -> str:
    """What a person does about a volume that is not looked at unasked: nobody says that it is still there."""
    known, volume = known_inventory(house), survivor.volume
    if volume.driver == _LONGHORN and known is not None and known.cluster is not None:
        record = next((one for one in known.cluster.longhorn if one.name == volume.handle), None)
        whole = [one for one in record.replicas if not one.failed] if record is not None else []
        if whole:
            took = f"longhornctl export replica --name={whole[0].folder} --target-dir=/var/tmp/blackstart"
            return f"{took}   # a folder on {whole[0].node}, if its disk was kept: {_PAGE}"
    if volume.driver.endswith(_CEPH):
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
