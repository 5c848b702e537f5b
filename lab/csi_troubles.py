"""What can be wrong with the smaller storages (OpenEBS, NFS, SMB, democratic-csi), by name. Knows no house and no API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from adapters.csi.results import CsiLook
from lab.world.csi import DEMOCRATIC, LVM, NFS, SMB, ZFS

Change = Callable[[CsiLook], CsiLook]


@dataclass(frozen=True)
class CsiTrouble:
    """One named trouble of what was in order: `of` is the system, `classes` are those whose rows turn red (none: it is told, and
    stops nothing), `says` a word of what they tell."""

    name: str
    of: str
    what: str
    classes: tuple[str, ...]
    says: str
    change: Change


def without_driver(name: str) -> Change:
    """No node has this driver."""
    return lambda look: replace(look, drivers=tuple(one for one in look.drivers if one.name != name))


def only_on_one(name: str) -> Change:
    """One node has this driver."""
    return lambda look: replace(
        look, drivers=tuple(replace(one, nodes=one.nodes[:1]) if one.name == name else one for one in look.drivers)
    )


def pool(engine: str, **changes: object) -> Change:
    """Pools of this engine are so."""

    def change(look: CsiLook) -> CsiLook:
        made = [replace(one, **changes) if one.engine == engine else one for one in look.pools]  # type: ignore[arg-type] # by name
        return replace(look, pools=tuple(made))

    return change


def no_pool(engine: str) -> Change:
    """There is no pool of this engine."""
    return lambda look: replace(look, pools=tuple(one for one in look.pools if one.engine != engine))


def _all() -> Iterator[CsiTrouble]:
    kind, ebs = CsiTrouble, "OpenEBS"
    yield kind("openebs-zfs-driver-gone", ebs, "no node has its driver of ZFS", ("zfs",), "on no node", without_driver(ZFS))
    yield kind("openebs-lvm-driver-gone", ebs, "no node has its driver of LVM", ("lvm",), "on no node", without_driver(LVM))
    yield kind("openebs-no-zfs-pool", ebs, "there is no ZFS pool", ("zfs",), "no pool tank", no_pool("zfs"))
    renamed = pool("zfs", name="other")
    yield kind("openebs-zfs-pool-renamed", ebs, "its ZFS pool has another name", ("zfs",), "no pool tank", renamed)
    yield kind("openebs-zfs-pool-full", ebs, "its ZFS pool is full", ("zfs",), "byte free", pool("zfs", free=0))
    torn = pool("lvm", well=False, state="1 of its disks missing")
    yield kind("openebs-lvm-disk-missing", ebs, "a disk of its volume group is missing", ("lvm",), "disks missing", torn)
    yield kind("openebs-no-volume-group", ebs, "there is no volume group", ("lvm",), "no pool vg0", no_pool("lvm"))
    broken = pool("mayastor", well=False, state="Faulted")
    yield kind("openebs-mayastor-faulted", ebs, "its pool of Mayastor is faulted", ("mayastor",), "Faulted", broken)
    silent = pool("mayastor", well=None, state="")
    yield kind("openebs-mayastor-silent", ebs, "its pool of Mayastor says nothing", ("mayastor",), "nothing of itself", silent)
    worn = pool("mayastor", well=False, state="Degraded")
    yield kind("openebs-mayastor-degraded", ebs, "its pool of Mayastor is degraded", (), "Degraded", worn)
    gone = "no node has its driver"
    yield kind("nfs-driver-gone", "csi-driver-nfs", gone, ("nfs", "other-nfs"), "on no node", without_driver(NFS))
    yield kind("nfs-driver-on-one-node", "csi-driver-nfs", "one node has its driver", (), "is not on", only_on_one(NFS))
    yield kind("smb-driver-gone", "csi-driver-smb", gone, ("smb",), "on no node", without_driver(SMB))
    yield kind("smb-driver-on-one-node", "csi-driver-smb", "one node has its driver", (), "is not on", only_on_one(SMB))
    yield kind("democratic-driver-gone", "democratic-csi", gone, ("iscsi",), "on no node", without_driver(DEMOCRATIC))
    yield kind("democratic-driver-on-one-node", "democratic-csi", "one node has it", (), "is not on", only_on_one(DEMOCRATIC))


CSI_TROUBLES = {trouble.name: trouble for trouble in _all()}
