"""Which classes csi-driver-smb makes, and on which share. Parameters as its documentation has them."""

from __future__ import annotations

from adapters.kubernetes.results import StorageClass
from cluster.storage.shares import Behind, Shares
from house.values.nas import Export


def behind(found: StorageClass) -> Behind:
    """`//server/share/folder`: a share is a name, and where it lies only the server knows."""
    source = dict(found.parameters).get("source", "")
    server, _, place = source.strip("/").partition("/")
    return Behind(server, place, Export.SMB if place else None, "" if source else "source")


SMB = Shares("smb", "SMB by csi-driver-smb", lambda found: found.provisioner == "smb.csi.k8s.io", behind)
