"""Which checks speak about which acts: what must be known before anything is made, and what before a cluster is touched."""

from __future__ import annotations

from engine.step import all_but, excusing, if_any

# These speak about one host, one node's disks or one claim, and stop what is theirs alone.
_OF_ONE = (
    "preflight.host/*", "preflight.clock/*", "preflight.room/*", "preflight.kept-disks/*",
    "preflight.backup/*", "preflight.backup-age/*", "preflight.archive/*",
)  # fmt: skip
_OF_PROXMOX = ("preflight.privileges", "preflight.quorum", "preflight.image", "preflight.image/*")
_OF_RELEASES = ("preflight.chart/*", "preflight.crds/*", "preflight.kinds/*")

BEFORE_ANYTHING = all_but("preflight.*", *_OF_ONE)
"""Every check that speaks about the whole house: before the first VM is made."""

BEFORE_THE_CLUSTER = all_but("preflight.*", *_OF_ONE, *_OF_PROXMOX, *_OF_RELEASES)
"""Those of them that are not Proxmox's, nor about one release: before nodes and cluster are changed."""

PUT_BACK = "kubernetes.put-certificates"
"""TLS Secrets that were kept: there before cert-manager may come, or it orders them anew."""

TO_CHANGE_VMS = ("preflight.privileges", "preflight.quorum")


def on_host(host: str) -> tuple[str, ...]:
    """What speaks about one Proxmox host, before anything is made on it or started."""
    return (f"preflight.host/{host}", f"preflight.clock/{host}", f"preflight.room/{host}")


def of_disks(node: str) -> str:
    """What speaks about the disks that a node's lost VM may have left."""
    return if_any(f"preflight.kept-disks/{node}")


def configured(node: str = "*") -> str:
    """The node (or all of them) has its machineconfig, unless its host is offline: that keeps nobody else back."""
    return excusing(f"talos.apply-config/{node}", "preflight.host/*")
