"""Which classes democratic-csi makes. On which pool is in a Secret of its driver's, and in no class."""

from __future__ import annotations

from adapters.kubernetes.results import StorageClass
from cluster.storage.shares import Behind, Shares


def behind(found: StorageClass) -> Behind:
    """What the class says of it, which is nothing but its driver's name."""
    return Behind("", f"what the driver {found.provisioner} is configured for")


DEMOCRATIC = Shares("democratic-csi", "democratic-csi", lambda found: "democratic-csi" in found.provisioner, behind)
