"""Smaller storages in order: classes of OpenEBS, NFS, SMB and democratic-csi, their drivers on every node, OpenEBS's pools."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.csi.results import CsiLook, Driver, Pool
from adapters.kubernetes.results import StorageClass

GIB = 1 << 30
ZFS, LVM, MAYASTOR, HOSTPATH = "zfs.csi.openebs.io", "local.csi.openebs.io", "io.openebs.csi-mayastor", "openebs.io/local"
NFS, SMB, DEMOCRATIC = "nfs.csi.k8s.io", "smb.csi.k8s.io", "org.democratic-csi.iscsi"
CLASSES = (
    StorageClass("zfs", ZFS, (("poolname", "tank/k8s"),)),
    StorageClass("lvm", LVM, (("volgroup", "vg0"),)),
    StorageClass("mayastor", MAYASTOR),
    StorageClass("hostpath", HOSTPATH),
    StorageClass("nfs", NFS, (("server", "NAS.lan"), ("share", "/mnt/tank/backup"))),
    StorageClass("other-nfs", NFS, (("server", "elsewhere.lan"), ("share", "/export"))),
    StorageClass("smb", SMB, (("source", "//nas.lan/media"),)),
    StorageClass("iscsi", DEMOCRATIC),
)


def healthy(nodes: Iterable[str] = ("cp-1", "w-1", "w-2")) -> CsiLook:
    """Every driver on every node, and one pool of each engine on the last."""
    named = tuple(sorted(nodes))
    return CsiLook(
        named,
        tuple(Driver(name, named) for name in sorted((ZFS, LVM, MAYASTOR, NFS, SMB, DEMOCRATIC))),
        (
            Pool("zfs", named[-1], "tank", 400 * GIB, 500 * GIB),
            Pool("lvm", named[-1], "vg0", 400 * GIB, 500 * GIB, well=True),
            Pool("mayastor", named[-1], "pool-1", 400 * GIB, 500 * GIB, "Online", well=True),
        ),
    )
