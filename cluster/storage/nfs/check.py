"""Which classes csi-driver-nfs makes, and on which export. Parameters as its documentation has them."""

from __future__ import annotations

from adapters.kubernetes.results import StorageClass
from cluster.storage.shares import Behind, Shares


def behind(found: StorageClass) -> Behind:
    """The server's export, which is a folder of its disks."""
    given = dict(found.parameters)
    return Behind(given.get("server", ""), given.get("share", ""), path=True)


NFS = Shares("nfs", "NFS by csi-driver-nfs", lambda found: found.provisioner == "nfs.csi.k8s.io", behind)
