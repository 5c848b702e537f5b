"""Which classes csi-driver-nfs makes, and on which export. Parameters as its documentation has them."""

from __future__ import annotations

from adapters.kubernetes.results import StorageClass
from cluster.storage.shares import Behind, Shares
from house.values.nas import Export


def behind(found: StorageClass) -> Behind:
    """The server's export, which is a folder of its disks."""
    given = dict(found.parameters)
    lacks = next((name for name in ("server", "share") if not given.get(name)), "")
    return Behind(given.get("server", ""), given.get("share", ""), Export.NFS, lacks)


NFS = Shares("nfs", "NFS by csi-driver-nfs", lambda found: found.provisioner == "nfs.csi.k8s.io", behind)
