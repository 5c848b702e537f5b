"""The objects that a refusal is tried with: what VolSync would make for the canary claim, which is always held.

Each must be refused by any API server that has the hold in place, whatever else the record says. Knows no HTTP.
"""

from __future__ import annotations

from adapters.hold.record import CANARY, NAMESPACE
from adapters.kubernetes.kinds import CLAIM, JOB, SNAPSHOT, Kind
from adapters.kubernetes.objects import Obj

# The owner need not exist: nothing is created, and the API does not look for it in a dry run.
_NO_SUCH_OWNER = "00000000-0000-4000-8000-000000000000"


def _metadata(name: str, owner_kind: str, labels: dict[str, str] | None = None) -> Obj:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/created-by": "volsync"} | (labels or {}),
        "ownerReferences": [
            {
                "apiVersion": "volsync.backube/v1alpha1",
                "kind": owner_kind,
                "name": CANARY,
                "uid": _NO_SUCH_OWNER,
                "controller": True,
            }
        ],
    }


def _job(name: str, owner_kind: str, env: list[dict[str, str]]) -> Obj:
    container = {"name": "restic", "image": "canary", "env": env}
    return {
        "metadata": _metadata(name, owner_kind),
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


_CLAIM_SPEC: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}

CANARIES: tuple[tuple[str, Kind, Obj], ...] = (
    ("Job of a source", JOB, _job("volsync-src-canary", "ReplicationSource", [])),
    (
        "Job of a destination",
        JOB,
        # What a destination gives that nobody has pinned.
        _job(
            "volsync-dst-canary",
            "ReplicationDestination",
            [{"name": "RESTORE_AS_OF", "value": ""}, {"name": "SELECT_PREVIOUS", "value": "0"}],
        ),
    ),
    (
        "PersistentVolumeClaim of the populator",
        CLAIM,
        {
            "metadata": _metadata(
                "vs-prime-canary", "PersistentVolumeClaim", {"volsync.backube/populator-pvc-for": CANARY}
            ),
            "spec": _CLAIM_SPEC
            | {
                "dataSourceRef": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "unproven"},
            },
        },
    ),
    (
        "VolumeSnapshot of a source",
        SNAPSHOT,
        {
            "metadata": _metadata("volsync-canary-src", "ReplicationSource"),
            "spec": {"source": {"persistentVolumeClaimName": CANARY}},
        },
    ),
)
