"""What a pod gets of its own service account, so that the RBAC that bites is the real one."""

from __future__ import annotations

import json
from pathlib import Path

from lab.parts.kube import SERVICE_ACCOUNTS, Kube, Object


def token(kube: Kube, pod: Object, seconds: int) -> str:
    """A token of the pod's service account for so long, bound to the pod."""
    meta = pod["metadata"]
    bound = {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]}
    request: Object = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"namespace": meta["namespace"]},
        "spec": {"audiences": [], "expirationSeconds": seconds, "boundObjectRef": bound},
    }
    return str(kube.create(SERVICE_ACCOUNTS, request, "token", account_of(pod))["status"]["token"])


def kubeconfig(kube: Kube, pod: Object, server: str, authority: Path, seconds: int) -> bytes:
    """A kubeconfig with such a token."""
    account = account_of(pod)
    context = {"cluster": "lab", "user": account, "namespace": pod["metadata"]["namespace"]}
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": account, "user": {"token": token(kube, pod, seconds)}}],
        "contexts": [{"name": "lab", "context": context}],
        "current-context": "lab",
    }
    return json.dumps(made).encode()


def account_of(pod: Object) -> str:
    """The name of its service account."""
    return str(pod["spec"].get("serviceAccountName") or "default")
