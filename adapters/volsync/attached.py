"""Where a claim is in use: a volume that one node has can be read on that node alone. Knows no Job."""

from __future__ import annotations

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CLAIM, POD
from adapters.kubernetes.objects import dig, name_of, rows, text
from engine.errors import PermanentError

_OVER = ("Succeeded", "Failed")


def node_of(client: ApiClient, namespace: str, claim: str) -> str:
    """The node of a pod that has the claim open, "" when none has: then the scheduler knows best where it can be.

    The scheduler itself would put a second pod anywhere, where it waits for the volume until the first is gone. PermanentError for
    a claim that only one pod may have, while one has it.
    """
    users = [
        pod
        for pod in client.list_objects(POD, namespace)
        if text(pod, "spec", "nodeName")
        and text(pod, "status", "phase") not in _OVER
        and any(text(v, "persistentVolumeClaim", "claimName") == claim for v in rows(pod, "spec", "volumes"))
    ]
    if not users:
        return ""
    if "ReadWriteOncePod" in (dig(client.get(CLAIM, claim, namespace) or {}, "spec", "accessModes") or []):
        raise PermanentError(
            f"Claim {namespace}/{claim} cannot be read beside its application: one pod alone may have it (ReadWriteOncePod)",
            evidence=(f"pod {name_of(users[0])} has it",),
        )
    return text(users[0], "spec", "nodeName")
