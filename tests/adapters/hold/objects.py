"""What VolSync, kopiur and CloudNativePG would make, as objects; and whether an API server takes one."""

from __future__ import annotations

from typing import Any

from adapters.hold.shape import PREFIX
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.errors import Refused
from adapters.kubernetes.kinds import Kind

NS = "apps"


def standing_crd(kind: Kind) -> dict[str, Any]:
    """A definition without a schema for a kind whose controller is not here."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "metadata": {
            "name": f"{kind.plural}.{kind.group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in for tests"},
        },
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {"kind": kind.name, "plural": kind.plural, "singular": kind.name.lower()},
            "versions": [
                {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }


def made(name: str, owner: str, owner_kind: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {"app.kubernetes.io/created-by": "volsync"} | (labels or {}),
        "ownerReferences": [
            {
                "apiVersion": "volsync.backube/v1alpha1",
                "kind": owner_kind,
                "name": owner,
                "uid": "11111111-1111-4111-8111-111111111111",
                "controller": True,
            }
        ],
    }


def restore_job(owner: str, as_of: str | None, previous: str = "0", claim: str = "volsync-x-dest") -> dict[str, Any]:
    env = [{"name": "SELECT_PREVIOUS", "value": previous}]
    if as_of is not None:
        env.append({"name": "RESTORE_AS_OF", "value": as_of})
    return job(made(f"volsync-dst-{owner}", owner, "ReplicationDestination"), claim, env)


def backup_job(owner: str, claim: str) -> dict[str, Any]:
    return job(made(f"volsync-src-{owner}", owner, "ReplicationSource"), claim, [])


def job(metadata: dict[str, Any], claim: str, env: list[dict[str, str]]) -> dict[str, Any]:
    spec = {
        "restartPolicy": "Never",
        "containers": [{"name": "restic", "image": "mover", "env": env}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}, {"name": "tmp", "emptyDir": {}}],
    }
    return {"metadata": metadata, "spec": {"template": {"spec": spec}}}


def claim_of(metadata: dict[str, Any], source_kind: str = "", source: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    if source:
        group = {"apiGroup": "snapshot.storage.k8s.io"} if source_kind == "VolumeSnapshot" else {}
        spec["dataSourceRef"] = group | {"kind": source_kind, "name": source}
    return {"metadata": metadata, "spec": spec}


def clone(owner: str, claim: str) -> dict[str, Any]:
    return claim_of(made(f"volsync-{owner}-src", owner, "ReplicationSource"), "PersistentVolumeClaim", claim)


def prime(claim: str, image: str) -> dict[str, Any]:
    metadata = made("vs-prime-1", claim, "PersistentVolumeClaim", {"volsync.backube/populator-pvc-for": claim})
    return claim_of(metadata, "VolumeSnapshot", image)


def snapshot(owner: str, claim: str) -> dict[str, Any]:
    return {
        "metadata": made(f"volsync-{owner}-src", owner, "ReplicationSource"),
        "spec": {"source": {"persistentVolumeClaimName": claim}},
    }


def database(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": spec or {"backup": {"barmanObjectStore": {"destinationPath": "s3://x"}}},
    }


def denied(client: ApiClient, kind: Kind, obj: dict[str, Any], namespace: str = NS) -> str:
    """The denial's words, "" when the object is admitted."""
    try:
        client.create(kind, obj, namespace, dry_run=True)
    except Refused as error:
        assert PREFIX in error.message, error.message
        assert error.status == 403
        return error.message
    return ""


def kopiur_job(owner: str, owner_kind: str, claim: str) -> dict[str, Any]:
    made_by = job(made("kopiur-run", owner, owner_kind), claim, [])
    (reference,) = made_by["metadata"]["ownerReferences"]
    reference["apiVersion"] = "kopiur.home-operations.com/v1alpha1"
    made_by["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "kopiur"}
    return made_by
