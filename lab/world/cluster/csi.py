"""Smaller storages in order: classes of OpenEBS, NFS, SMB and democratic-csi, their drivers on every node, OpenEBS's pools."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from adapters.csi.results import CsiLook, Driver, Pool, Role, Sidecar
from adapters.kubernetes.results import StorageClass

GIB = 1 << 30
ZFS, LVM, MAYASTOR, HOSTPATH = "zfs.csi.openebs.io", "local.csi.openebs.io", "io.openebs.csi-mayastor", "openebs.io/local"
NFS, SMB, DEMOCRATIC = "nfs.csi.k8s.io", "smb.csi.k8s.io", "org.democratic-csi.iscsi"
ALIVE, LONG_AGO = 4_000_000_000.0, 1_700_000_000.0
"""When a Lease was renewed; ALIVE, which no clock shows, stands for "at the moment of the look" (`living`)."""


def _secret(use: str, name: str) -> tuple[tuple[str, str], ...]:
    """Parameters of a class that name a Secret, as the CSI sidecars know them."""
    return (f"csi.storage.k8s.io/{use}-secret-name", name), (f"csi.storage.k8s.io/{use}-secret-namespace", "kube-system")


CLASSES = (
    StorageClass("zfs", ZFS, (("poolname", "tank/k8s"),)),
    StorageClass("lvm", LVM, (("volgroup", "vg0"),)),
    StorageClass("mayastor", MAYASTOR),
    StorageClass("hostpath", HOSTPATH),
    StorageClass("nfs", NFS, (("server", "NAS.lan"), ("share", "/mnt/tank/backup"))),
    StorageClass("other-nfs", NFS, (("server", "elsewhere.lan"), ("share", "/export"))),
    StorageClass("smb", SMB, (("source", "//nas.lan/media"), *_secret("node-stage", "smb-login"))),
    StorageClass("iscsi", DEMOCRATIC, _secret("controller-publish", "iscsi-login")),
)


def healthy(nodes: Iterable[str] = ("cp-1", "w-1", "w-2")) -> CsiLook:
    """Every driver on every node, registered and led, and one pool of each engine on the last."""
    named = tuple(sorted(nodes))
    drivers = tuple(sorted((ZFS, LVM, MAYASTOR, NFS, SMB, DEMOCRATIC)))
    led = [(name, role) for name in (DEMOCRATIC, NFS, SMB) for role in Role if role is not Role.ATTACHER or name == DEMOCRATIC]
    return CsiLook(
        named,
        tuple(Driver(name, named) for name in drivers),
        (
            Pool("zfs", named[-1], "tank", 400 * GIB, 500 * GIB),
            Pool("lvm", named[-1], "vg0", 400 * GIB, 500 * GIB, well=True),
            Pool("mayastor", named[-1], "pool-1", 400 * GIB, 500 * GIB, "Online", well=True),
        ),
        drivers,
        tuple(Sidecar(name, role, f"{name}-controller-0", ALIVE) for name, role in led),
    )


def living(look: CsiLook, now: float) -> CsiLook:
    """As it is seen at `now` (epoch seconds): who lives has just renewed its Lease."""
    return replace(look, sidecars=tuple(replace(one, renewed=now) if one.renewed == ALIVE else one for one in look.sidecars))
