"""Whether the volumes of a pod are attached to its node, as a kubelet asks before it starts a container. Writes nothing."""

from __future__ import annotations

import hashlib

from lab.parts.cache import Caches
from lab.parts.kube import ATTACHMENTS, CLAIMS, VOLUMES, Object
from lab.parts.pods.scheduler import claim_names


class Attached:
    """Answers for the pods of one node, of what the shared watches have seen."""

    def __init__(self, caches: Caches, node: str) -> None:
        self._claims, self._volumes = caches.of(CLAIMS), caches.of(VOLUMES)
        self._attachments = caches.of(ATTACHMENTS)
        self._node = node

    def lacks(self, pod: Object) -> bool:
        """Whether a volume of the pod is attached to no node, or to another one."""
        return any(not self._attached(name, pod["metadata"]["namespace"]) for name in claim_names(pod))

    def _attached(self, claim: str, namespace: str) -> bool:
        found = self._claims.get(claim, namespace) or {"spec": {}}
        volume = self._volumes.get(found["spec"].get("volumeName") or "")
        if volume is None or "csi" not in volume["spec"]:
            return True  # what it is bound to is not there: that is not for the attacher to tell
        csi = volume["spec"]["csi"]
        attachment = self._attachments.get(attachment_name(csi["volumeHandle"], csi["driver"], self._node))
        return attachment is not None and (attachment.get("status") or {}).get("attached") is True


def attachment_name(handle: str, driver: str, node: str) -> str:
    """What the attach-detach controller calls the VolumeAttachment of a CSI volume and a node."""
    return f"csi-{hashlib.sha256(f'{handle}{driver}{node}'.encode()).hexdigest()}"
