"""What can be wrong with the smaller storages (OpenEBS, NFS, SMB, democratic-csi), by name. Knows no house and no API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from adapters.csi.results import CsiLook, Role, secrets_of
from adapters.kubernetes.results import StorageClass
from lab.troubles.seen import WITHIN_S
from lab.world.cluster.csi import CLASSES, DEMOCRATIC, LONG_AGO, LVM, NFS, SMB, ZFS

Change = Callable[[CsiLook], CsiLook]
Reclass = Callable[[StorageClass], StorageClass]


@dataclass(frozen=True)
class CsiTrouble:
    """One named trouble of what was in order: `of` is the system, `classes` are those whose rows turn red (none: it is told, and
    stops nothing), `says` a word of what they tell. `well`: the driver is on every node meanwhile, and each pool says that it is
    well. `reclass` is what becomes of each class."""

    name: str
    of: str
    what: str
    classes: tuple[str, ...]
    says: str
    change: Change
    well: bool = False
    reclass: Reclass = lambda found: found
    seen_within_s: float = WITHIN_S


def without_driver(name: str) -> Change:
    """No node has this driver."""
    return lambda look: replace(look, drivers=tuple(one for one in look.drivers if one.name != name))


def only_on_one(name: str) -> Change:
    """One node has this driver."""
    return lambda look: replace(
        look, drivers=tuple(replace(one, nodes=one.nodes[:1]) if one.name == name else one for one in look.drivers)
    )


def without_object(name: str) -> Change:
    """The API has no CSIDriver of this name; the nodes have the driver."""
    return lambda look: replace(look, registered=tuple(one for one in look.registered if one != name))


def sidecar(name: str, role: Role, **changes: object) -> Change:
    """The Lease of this part of the driver's controller is so."""

    def change(look: CsiLook) -> CsiLook:
        made = [
            replace(one, **changes) if (one.driver, one.role) == (name, role) else one  # type: ignore[arg-type] # by name
            for one in look.sidecars
        ]
        return replace(look, sidecars=tuple(made))

    return change


def secret_gone(class_name: str) -> Change:
    """The Secret that this class names is not there."""
    (found,) = [one for one in CLASSES if one.name == class_name]
    return lambda look: replace(look, lacking=secrets_of(found))


def without_parameter(class_name: str, parameter: str) -> Reclass:
    """The class is made without this parameter."""

    def reclass(found: StorageClass) -> StorageClass:
        kept = tuple(pair for pair in found.parameters if pair[0] != parameter)
        return replace(found, parameters=kept) if found.name == class_name else found

    return reclass


def as_it_was(look: CsiLook) -> CsiLook:
    """Nothing of this changes."""
    return look


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
    yield kind("openebs-no-zfs-pool", ebs, "there is no ZFS pool", ("zfs",), "no pool tank", no_pool("zfs"), True)
    renamed = pool("zfs", name="other")
    yield kind("openebs-zfs-pool-renamed", ebs, "its ZFS pool has another name", ("zfs",), "no pool tank", renamed, True)
    yield kind("openebs-zfs-pool-full", ebs, "its ZFS pool is full", ("zfs",), "byte free", pool("zfs", free=0), True)
    torn = pool("lvm", well=False, state="1 disk of it missing")
    yield kind("openebs-lvm-disk-missing", ebs, "a disk of its volume group is missing", ("lvm",), "disk of it missing", torn)
    yield kind("openebs-no-volume-group", ebs, "there is no volume group", ("lvm",), "no pool vg0", no_pool("lvm"), True)
    broken = pool("mayastor", well=False, state="Faulted")
    yield kind("openebs-mayastor-faulted", ebs, "its pool of Mayastor is faulted", ("mayastor",), "Faulted", broken)
    silent = pool("mayastor", well=None, state="")
    yield kind("openebs-mayastor-silent", ebs, "its pool of Mayastor says nothing", ("mayastor",), "nothing of itself", silent)
    worn = pool("mayastor", well=False, state="Degraded")
    yield kind("openebs-mayastor-degraded", ebs, "its pool of Mayastor is degraded", (), "Degraded", worn)
    gone = without_object(ZFS)
    yield kind("openebs-zfs-unregistered", ebs, "its ZFS driver is not registered", ("zfs",), "no CSIDriver", gone, True)


def _of_server(of: str, first: str, driver: str, classes: tuple[str, ...]) -> Iterator[CsiTrouble]:
    """What befalls every driver whose volumes are on a server."""
    kind = CsiTrouble
    yield kind(f"{first}-driver-gone", of, "no node has its driver", classes, "on no node", without_driver(driver))
    yield kind(f"{first}-driver-on-one-node", of, "one node has its driver", (), "is not on", only_on_one(driver))
    silent, lost = sidecar(driver, Role.PROVISIONER, renewed=LONG_AGO), sidecar(driver, Role.SNAPSHOTTER, renewed=LONG_AGO)
    what = "its provisioner has stopped"
    yield kind(f"{first}-provisioner-gone", of, what, classes, "no volume of it is made", silent, True)
    let_go = sidecar(driver, Role.PROVISIONER, holder="", renewed=LONG_AGO)
    yield kind(f"{first}-provisioner-let-go", of, "nobody is its provisioner", classes, "has no holder", let_go, True)
    yield kind(f"{first}-snapshotter-gone", of, "its snapshotter has stopped", classes, "no snapshot of it is made", lost, True)


def _of_each() -> Iterator[CsiTrouble]:
    kind, nfs, smb, democratic = CsiTrouble, "csi-driver-nfs", "csi-driver-smb", "democratic-csi"
    object_gone, secret = "it is not registered: volumes wait for an attacher", "its class's Secret is gone"
    yield from _of_server(nfs, "nfs", NFS, ("nfs", "other-nfs"))
    yield kind("nfs-unregistered", nfs, object_gone, ("nfs", "other-nfs"), "no CSIDriver", without_object(NFS), True)
    for parameter in ("server", "share"):
        what, lacks = f"its class names no {parameter}", without_parameter("nfs", parameter)
        yield kind(f"nfs-class-without-{parameter}", nfs, what, ("nfs",), f"parameter {parameter}", as_it_was, True, lacks)
    yield from _of_server(smb, "smb", SMB, ("smb",))
    yield kind("smb-unregistered", smb, object_gone, ("smb",), "no CSIDriver", without_object(SMB), True)
    yield kind("smb-secret-gone", smb, secret, ("smb",), "smb-login", secret_gone("smb"), True)
    lacks = without_parameter("smb", "source")
    yield kind("smb-class-without-source", smb, "its class names no source", ("smb",), "parameter source", as_it_was, True, lacks)
    yield from _of_server(democratic, "democratic", DEMOCRATIC, ("iscsi",))
    stopped = sidecar(DEMOCRATIC, Role.ATTACHER, renewed=LONG_AGO)
    yield kind("democratic-attacher-gone", democratic, "its attacher has stopped", ("iscsi",), "pods wait", stopped, True)
    yield kind("democratic-secret-gone", democratic, secret, ("iscsi",), "iscsi-login", secret_gone("iscsi"), True)


CSI_TROUBLES = {trouble.name: trouble for trouble in (*_all(), *_of_each())}
