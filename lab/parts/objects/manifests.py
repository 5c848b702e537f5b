"""What a cluster needs before its first restore: definitions, roles, classes, the controllers' Deployments.

For a lab that stands alone; a house brings its own by Helm and Flux. Reads the programs' own YAML files, and applies them as
they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

from lab.parts.errors import PartFailed
from lab.parts.kube import (
    DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    STORAGE_CLASSES,
    Kube,
    Object,
    Resource,
)
from lab.parts.pods.images import MOVER_IMAGE
from lab.parts.programs import definitions, module_folder

DRIVER = "csi.lab.blackstart"
STORAGE_CLASS = "lab-block"
SNAPSHOT_CLASS = "lab-snapshot"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLUSTER_ROLES = Resource(_RBAC, "clusterroles", namespaced=False)
BINDINGS = Resource(_RBAC, "clusterrolebindings", namespaced=False)
SNAPSHOT_CLASSES = Resource("/apis/snapshot.storage.k8s.io/v1", "volumesnapshotclasses", namespaced=False)
_KINDS = {
    "CustomResourceDefinition": DEFINITIONS,
    "ClusterRole": CLUSTER_ROLES,
    "ClusterRoleBinding": BINDINGS,
    "Role": Resource(_RBAC, "roles"),
    "RoleBinding": Resource(_RBAC, "rolebindings"),
    "ServiceAccount": SERVICE_ACCOUNTS,
}


def apply_files(kube: Kube, paths: Iterable[Path]) -> None:
    """Apply YAML files as they are. PartFailed for a document of a kind that this module does not know."""
    for path in paths:
        for document in re.split(r"(?m)^---.*$", path.read_text()):
            kind = re.search(r"(?m)^kind: *(\w+)", document)
            if kind is None:
                continue
            name = re.search(r"(?m)^metadata:\n(?:  .*\n)*?  name: *(\S+)", document)
            namespace = re.search(r"(?m)^metadata:\n(?:  .*\n)*?  namespace: *(\S+)", document)
            resource = _KINDS.get(kind[1])
            if name is None or resource is None:
                raise PartFailed(f"{path.name}: a document of kind {kind[1]} that the lab cannot place")
            kube.apply_text(resource, resource.url(namespace[1] if namespace else "", name[1]), document.encode())


def define(kube: Kube, *names: str) -> None:
    """Apply the definitions that come with these programs, and wait until all are served."""
    for name in names:
        apply_files(kube, definitions(name))
    wait_established(kube)


def wait_established(kube: Kube) -> None:
    """Wait until every custom resource definition is established."""
    deadline = time.monotonic() + 30
    while not all(_established(d) for d in kube.list(DEFINITIONS)):
        if time.monotonic() > deadline:
            raise PartFailed("the custom resource definitions were not established in 30 s")
        time.sleep(0.2)  # a list of them is long


def install_storage(kube: Kube, driver: str = DRIVER) -> None:
    """A storage class of the simulated storage, as default, and the snapshot class that goes with it."""
    kube.apply(
        STORAGE_CLASSES,
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": driver,
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    )
    kube.apply(
        SNAPSHOT_CLASSES,
        {
            "apiVersion": "snapshot.storage.k8s.io/v1",
            "kind": "VolumeSnapshotClass",
            "metadata": {
                "name": SNAPSHOT_CLASS,
                "annotations": {"snapshot.storage.kubernetes.io/is-default-class": "true"},
            },
            "driver": driver,
            "deletionPolicy": "Delete",
        },
    )


def install_volsync(kube: Kube) -> None:
    """VolSync and the snapshot controller: own accounts with the rights that the programs' own manifests give them."""
    define(kube, "snapshots", "volsync")
    namespace = "volsync-system"
    kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    apply_files(kube, [module_folder("volsync") / "config" / "rbac" / "role.yaml"])
    _account(kube, namespace, "volsync", "manager-role")
    controller = deployment(namespace, "volsync", "quay.io/backube/volsync:0.16.0", account="volsync")
    controller["spec"]["template"]["spec"]["containers"][0]["args"] = [f"--restic-container-image={MOVER_IMAGE}"]
    kube.apply(DEPLOYMENTS, controller)
    folder = module_folder("snapshot-controller") / "deploy" / "kubernetes" / "snapshot-controller"
    apply_files(kube, [folder / "rbac-snapshot-controller.yaml"])
    image = "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0"
    kube.apply(DEPLOYMENTS, deployment("kube-system", "snapshot-controller", image, account="snapshot-controller"))


def deployment(namespace: str, name: str, image: str, *, account: str = "default", replicas: int = 1) -> Object:
    """A Deployment of one container. The image decides what the lab runs for it."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"serviceAccountName": account, "containers": [{"name": "manager", "image": image}]},
            },
        },
    }


def _account(kube: Kube, namespace: str, name: str, role: str) -> None:
    meta = {"name": name, "namespace": namespace}
    kube.apply(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    kube.apply(
        BINDINGS,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{namespace}-{name}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    )


def _established(definition: Object) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
