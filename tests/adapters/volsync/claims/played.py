"""VolSync and Flux as they act on claims: what Flux applies, and the status that VolSync writes."""

from __future__ import annotations

from typing import Any

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import REPLICATION_DESTINATION, Kind


def as_flux(client: ApiClient, kind: Kind, obj: dict[str, Any], namespace: str) -> None:
    """Apply as kustomize-controller does: server-side, with force."""
    body = {"apiVersion": kind.api_version, "kind": kind.name} | obj
    client.demand(
        "PATCH",
        kind.path(namespace, obj["metadata"]["name"]),
        "apply as Flux",
        params={"fieldManager": "kustomize-controller", "force": "true"},
        body=body,
        content_type="application/apply-patch+yaml",
    )


def destination(restic: dict[str, Any] | None = None) -> dict[str, Any]:
    base: dict[str, Any] = {
        "repository": "s",
        "copyMethod": "Snapshot",
        "capacity": "1Gi",
        "accessModes": ["ReadWriteOnce"],
    }
    return {
        "metadata": {"name": "notes-dst"},
        "spec": {"trigger": {"manual": "restore-once"}, "restic": base | (restic or {})},
    }


def say(client: ApiClient, kind: Kind, name: str, ns: str, status: dict[str, Any]) -> None:
    client.demand(
        "PATCH",
        kind.path(ns, name, "status"),
        "write status",
        body={"status": status},
        content_type="application/merge-patch+json",
    )


def spec_of(client: ApiClient, ns: str) -> dict[str, Any]:
    found = client.get(REPLICATION_DESTINATION, "notes-dst", ns)
    assert found is not None
    return dict(found["spec"])


def condition(reason: str, message: str, status: str = "False") -> dict[str, Any]:
    return {
        "type": "Synchronizing",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
