"""The objects that a refusal is tried with: what movers are made of, for the canary claim, which is always held, and for nobody's.

Each must be refused by any API server that has the hold in place, whatever else the record says. Knows no HTTP.
"""

from __future__ import annotations

from adapters.hold.record import CANARY
from adapters.hold.shape import TRIAL
from adapters.kubernetes.kinds import CLAIM, JOB, SNAPSHOT, Kind
from adapters.kubernetes.objects import Obj

# The owner need not exist: nothing is created, and the API does not look for it in a dry run.
_NO_SUCH_OWNER = "00000000-0000-4000-8000-000000000000"
_STRANGER = "stranger"


def _metadata(name: str, owner_kind: str, labels: dict[str, str] | None = None, owner: str = CANARY) -> Obj:
    return {
        "name": name,
        "labels": {"app.kubernetes.io/created-by": "volsync"} | (labels or {}),
        "annotations": {TRIAL: ""},
        "ownerReferences": [
            {
                "apiVersion": "volsync.backube/v1alpha1",
                "kind": owner_kind,
                "name": owner,
                "uid": _NO_SUCH_OWNER,
                "controller": True,
            }
        ],
    }


def _job(name: str, owner_kind: str, env: list[dict[str, str]], owner: str = CANARY) -> Obj:
    container = {"name": "restic", "image": "canary", "env": env}
    return {
        "metadata": _metadata(name, owner_kind, owner=owner),
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }


def backup_job(claim: str, source: str) -> Obj:
    """What VolSync makes for a backup of this claim by copyMethod Direct, as far as the hold looks at it."""
    job = _job(f"volsync-src-{source}", "ReplicationSource", [], source)
    job["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return job


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


def _kopiur() -> Obj:
    job = _job("canary-stranger", "Snapshot", [], _STRANGER)
    (owner,) = job["metadata"]["ownerReferences"]
    owner["apiVersion"] = "kopiur.home-operations.com/v1alpha1"
    job["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "kopiur"}
    return job


STRANGERS: tuple[tuple[str, Kind, Obj], ...] = (
    ("Job of a source that nobody declared", JOB, _job("volsync-src-stranger", "ReplicationSource", [], _STRANGER)),
    ("Job of a destination that nobody declared", JOB, _job("volsync-dst-stranger", "ReplicationDestination", [], _STRANGER)),
    ("Job of kopiur", JOB, _kopiur()),
)
"""Refused where a claim is held, and everywhere (ELSEWHERE stands for that) while what a bootstrap holds is not lifted."""
ELSEWHERE = "default"
