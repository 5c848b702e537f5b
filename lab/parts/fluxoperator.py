"""The lab's stand-in for flux-operator: turns a FluxInstance into Flux's Deployments, its Git source and its root Kustomization.

Runs as a process of its own (`python -m lab.parts.fluxoperator FILE…`, the definitions to apply), started by its Deployment's pod.
Reports the conditions that the real one was seen to report. Knows no cluster beside the one its kubeconfig names.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import httpx

from lab.parts.errors import PartFailed
from lab.parts.kube import DEFINITIONS, DEPLOYMENTS, SERVICE_ACCOUNTS, Access, ApiRefused, Kube, Object, Resource
from lab.parts.objects.manifests import BINDINGS, apply_files, deployment, wait_established
from lab.parts.pods.podstatus import stamp

INSTANCES = Resource("/apis/fluxcd.controlplane.io/v1", "fluxinstances")
GIT_REPOSITORIES = Resource("/apis/source.toolkit.fluxcd.io/v1", "gitrepositories")
KUSTOMIZATIONS = Resource("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations")
_VERSION = "v2.9.4"
# The real operator takes a shorter time-out for this long.
_TIMEOUT_S = 30.0
_POLL_S = 0.25
_IDLE_S = 0.5
_COMPONENTS = ["source-controller", "kustomize-controller", "helm-controller"]


class Operator:
    """Serves the one FluxInstance `flux` of its namespace."""

    def __init__(self, kube: Kube, namespace: str, definitions: list[Path]) -> None:
        self._kube = kube
        self._namespace = namespace
        self._definitions = definitions

    def run(self) -> None:
        """Serve until the process is ended. An API server that does not answer is asked again."""
        done = 0
        while True:
            try:
                instance = self._kube.get(INSTANCES, "flux", self._namespace)
                if instance is not None and instance["metadata"]["generation"] != done and self._reconcile(instance):
                    done = instance["metadata"]["generation"]
            except (ApiRefused, httpx.HTTPError, PartFailed) as error:
                sys.stdout.write(f"{error}\n")
                sys.stdout.flush()
            time.sleep(_IDLE_S)

    def _reconcile(self, instance: Object) -> bool:
        """Apply all that the instance asks for, wait until it is healthy, say so. False when it was not within its time."""
        began = time.monotonic()
        self._say(instance, "Unknown", "Progressing", "Reconciliation in progress", reconciling="Progressing")
        apply_files(self._kube, self._definitions)
        wait_established(self._kube)
        for definition in self._kube.list(DEFINITIONS):
            if definition["spec"]["group"].endswith(".toolkit.fluxcd.io"):
                self._kube.patch(DEFINITIONS, definition, {"metadata": {"labels": marks(self._namespace)}})
        wanted = wanted_by(instance, self._namespace)
        for resource, item in wanted:
            self._kube.apply(resource, item)
        deadline = began + _TIMEOUT_S
        while missing := [name for resource, item in wanted if (name := self._unhealthy(resource, item))]:
            if time.monotonic() > deadline:
                message = f"timeout waiting for: [{', '.join(missing)}]"
                self._say(instance, "False", "ReconciliationFailed", message, reconciling="ProgressingWithRetry")
                return False
            now = self._kube.get(INSTANCES, "flux", self._namespace)
            if now is None or now["metadata"]["generation"] != instance["metadata"]["generation"]:
                return False
            time.sleep(_POLL_S)
        self._say(
            instance, "True", "ReconciliationSucceeded", f"Reconciliation finished in {time.monotonic() - began:.0f}s"
        )
        return True

    def _unhealthy(self, resource: Resource, item: Object) -> str:
        """What to wait for in this object, "" when it is healthy (or has no health)."""
        meta = item["metadata"]
        name = f"{item['kind']}/{meta.get('namespace', '')}/{meta['name']} status: 'InProgress'"
        if resource not in (DEPLOYMENTS, GIT_REPOSITORIES, KUSTOMIZATIONS):
            return ""
        found = self._kube.get(resource, meta["name"], meta["namespace"]) or {}
        status = found.get("status") or {}
        if resource is DEPLOYMENTS:
            return "" if status.get("availableReplicas") else name
        ready = [c for c in status.get("conditions") or [] if c["type"] == "Ready"]
        good = (
            any(c["status"] == "True" for c in ready)
            and status.get("observedGeneration") == found["metadata"]["generation"]
        )
        why = "".join(f": {c['message']}" for c in ready if c["status"] == "False")
        return "" if good else name + why

    def _say(self, instance: Object, status: str, reason: str, message: str, *, reconciling: str = "") -> None:
        generation = instance["metadata"]["generation"]
        common = {"lastTransitionTime": stamp(), "observedGeneration": generation}
        conditions = [{"type": "Ready", "status": status, "reason": reason, "message": message, **common}]
        if reconciling:
            conditions.append(
                {"type": "Reconciling", "status": "True", "reason": reconciling, "message": message, **common}
            )
        change: Object = {"conditions": conditions}
        if status == "True":
            change |= {"lastAppliedRevision": f"{_VERSION}@lab", "observedGeneration": generation}
        self._kube.patch(INSTANCES, instance, {"status": change}, "status")


def marks(namespace: str) -> dict[str, str]:
    """The labels of all that an instance makes, by which `flux check`, `flux version` and `flux logs` find it."""
    common = "app.kubernetes.io"
    return {f"{common}/instance": namespace, f"{common}/part-of": "flux", f"{common}/version": _VERSION}


def wanted_by(instance: Object, namespace: str) -> list[tuple[Resource, Object]]:
    """The objects that this FluxInstance stands for, in the order of applying; the sync objects are named like the namespace."""
    spec = instance["spec"]
    meta = {"name": "flux-controllers", "namespace": namespace}
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    binding: Object = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "cluster-reconciler-flux-system"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **meta}],
    }
    items: list[tuple[Resource, Object]] = [(SERVICE_ACCOUNTS, account), (BINDINGS, binding)]
    for name in spec.get("components") or _COMPONENTS:
        image = f"ghcr.io/fluxcd/{name}:{_VERSION}"
        made = deployment(namespace, name, image, account="flux-controllers")
        own = made["metadata"]["labels"] | marks(namespace) | {"app.kubernetes.io/component": name}
        made["metadata"]["labels"] = made["spec"]["template"]["metadata"]["labels"] = own
        items.append((DEPLOYMENTS, made))
    if sync := spec.get("sync"):
        items += _sync(sync, namespace)
    return items


def _sync(sync: Object, namespace: str) -> list[tuple[Resource, Object]]:
    meta = {"name": namespace, "namespace": namespace}
    interval = sync.get("interval", "1m")
    secret = {"secretRef": {"name": sync["pullSecret"]}} if sync.get("pullSecret") else {}
    repository = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": meta,
        "spec": {"interval": interval, "url": sync["url"], "ref": {"name": sync["ref"]}, **secret},
    }
    root = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": meta,
        "spec": {
            "interval": interval,
            "retryInterval": "5s",
            "path": sync["path"],
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": namespace},
        },
    }
    return [(GIT_REPOSITORIES, repository), (KUSTOMIZATIONS, root)]


def main(arguments: list[str]) -> None:
    """Serve with the kubeconfig and the namespace that the environment names."""
    access = Access.from_kubeconfig(Path(os.environ["KUBECONFIG"]))
    with Kube(access) as kube:
        Operator(kube, os.environ["RUNTIME_NAMESPACE"], [Path(a) for a in arguments]).run()


if __name__ == "__main__":
    main(sys.argv[1:])
