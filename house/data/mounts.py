"""What a volume of a Pod mounts besides claims: NFS, SMB, and folders of its node. Knows no workload."""

from __future__ import annotations

import re
from posixpath import normpath
from typing import Any

from house.data.nouns import Keeps

# Of the machine itself, made anew with it: no data of anybody.
_SYSTEM = re.compile(
    r"/(?:(?:proc|sys|dev|run|etc|usr|boot|tmp|s?bin|lib(?:32|64)?|opt/(?:bin|cni)|var/(?:cache|log|run|tmp)"
    r"|var/lib/(?:calico|cni|containerd|cilium|dbus|docker/(?:containers|overlay2)|kubelet|systemd|rancher/k3s/(?:agent|data)))(?:/.*)?)?"
)
_SHARES = {"smb.csi.k8s.io": Keeps.SMB, "nfs.csi.k8s.io": Keeps.NFS}


def mount_of(volume: dict[str, Any]) -> tuple[Keeps, str] | None:
    """What a Pod's volume mounts of another machine, or of its node; None for any other volume, and for what is the system's."""
    nfs, path = _mapping(volume.get("nfs")), _mapping(volume.get("hostPath")).get("path")
    if nfs:
        return Keeps.NFS, f"{nfs.get('server')}:{nfs.get('path')}"
    if isinstance(path, str) and not _SYSTEM.fullmatch(normpath("/" + path.lstrip("/"))):
        return Keeps.HOST_PATH, path
    csi = _mapping(volume.get("csi"))
    keeps = _SHARES.get(str(csi.get("driver")))
    return (keeps, _attributes(csi)) if keeps is not None else None


def _attributes(csi: dict[str, Any]) -> str:
    told = _mapping(csi.get("volumeAttributes"))
    return str(told.get("source") or f"{told.get('server', '')}:{told.get('share', '')}")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
