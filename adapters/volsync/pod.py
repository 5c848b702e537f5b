"""A pod like a mover's, which runs a script of ours. Knows no Job, and asks nothing."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kubernetes.objects import Obj
from adapters.volsync.mover import Identity, Mover


def pod_of(
    name: str, image: str, script: str, told: Mapping[str, str], mover: Mover, identity: Identity, data: Obj | None,
    *, read_only: bool = False,
) -> Obj:  # fmt: skip
    """Its spec: one container of this name, with all that the mover has to open its repository, and no way to the API.

    `told` is its environment beside the mover's; `data` the volume at /data, None for none.
    """
    of_pod, of_container = identity
    at_data: Obj = {"name": "data", "mountPath": "/data"} | ({"readOnly": True} if read_only else {})
    container: Obj = {
        "name": name,
        "image": image,
        "command": ["sh", "-c", script],
        "env": [*({"name": key, "value": value} for key, value in told.items()), *mover.environment],
        "envFrom": list(mover.environment_from),
        "volumeMounts": [
            *([at_data] if data is not None else []),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
            *mover.mounts,
        ],
        "resources": dict(mover.resources),
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True} | of_container,
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": of_pod,
        "containers": [container],
        "volumes": [
            *([{"name": "data"} | data] if data is not None else []), {"name": "tmp", "emptyDir": {}}, *mover.volumes,
        ],
    } | dict(mover.pod)  # fmt: skip
