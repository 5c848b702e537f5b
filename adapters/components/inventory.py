"""What Flux's Kustomizations say that they applied, and the kinds whose objects tell whether they are ready. Fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.kubernetes.objects import Obj, name_of, namespace_of, rows, text

# Kinds that are current as soon as they are there. Nobody lists them: Secrets hold secrets, and definitions are tens of megabytes
# (one that is not established is not served, which is told).
NO_READINESS = frozenset({
    ("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount"), ("", "Namespace"), ("", "LimitRange"), ("", "ResourceQuota"),
    ("", "Endpoints"), ("", "PersistentVolume"), ("", "Service"), ("discovery.k8s.io", "EndpointSlice"),
    ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRole"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"), ("networking.k8s.io", "NetworkPolicy"),
    ("networking.k8s.io", "IngressClass"), ("storage.k8s.io", "StorageClass"), ("storage.k8s.io", "CSIDriver"),
    ("scheduling.k8s.io", "PriorityClass"), ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
})  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One line of an inventory."""

    kustomization: str
    group: str
    version: str
    kind: str
    namespace: str
    name: str


def entries(kustomization: Obj) -> Iterator[Entry]:
    """The objects of one Kustomization: `id` is namespace_name_group_kind, a colon in a name written as two underscores."""
    owner = f"{namespace_of(kustomization)}/{name_of(kustomization)}"
    for row in rows(kustomization, "status", "inventory", "entries"):
        parts = text(row, "id").split("_")
        if len(parts) >= 4:
            name = "_".join(parts[1:-2]).replace("__", ":")
            yield Entry(owner, parts[-2], text(row, "v"), parts[-1], parts[0], name)
