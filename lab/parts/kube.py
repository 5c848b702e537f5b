"""A small Kubernetes client for the simulators: raw dictionaries, merge-patch, status sub-resource, watch.

Knows certificates and paths, and no kind in particular.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from engine.text.jsontext import an_object, read, read_file

# An object of the API as it stands on the wire: every kind, none modelled.
Object = dict[str, Any]


class ApiRefused(Exception):
    """The API server answered, and the answer was not success. `status` is the HTTP code, `reason` Kubernetes's word."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Resource:
    """One resource of the API: `path` is the group and version's root, `plural` the name in URLs."""

    path: str
    plural: str
    namespaced: bool = True

    def url(self, namespace: str = "", name: str = "", sub: str = "") -> str:
        """The URL's path of the collection, of one object, or of its sub-resource."""
        parts = [self.path]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [p for p in (self.plural, name, sub) if p]
        return "/".join(parts)

    def of(self, item: Object, sub: str = "") -> str:
        """The URL's path of this object."""
        meta = item["metadata"]
        return self.url(meta.get("namespace", ""), meta["name"], sub)


NAMESPACES = Resource("/api/v1", "namespaces", namespaced=False)
NODES = Resource("/api/v1", "nodes", namespaced=False)
PODS = Resource("/api/v1", "pods")
CLAIMS = Resource("/api/v1", "persistentvolumeclaims")
VOLUMES = Resource("/api/v1", "persistentvolumes", namespaced=False)
SECRETS = Resource("/api/v1", "secrets")
EVENTS = Resource("/api/v1", "events")
ATTACHMENTS = Resource("/apis/storage.k8s.io/v1", "volumeattachments", namespaced=False)
CONFIG_MAPS = Resource("/api/v1", "configmaps")
SERVICE_ACCOUNTS = Resource("/api/v1", "serviceaccounts")
JOBS = Resource("/apis/batch/v1", "jobs")
LEASES = Resource("/apis/coordination.k8s.io/v1", "leases")
DEPLOYMENTS = Resource("/apis/apps/v1", "deployments")
STORAGE_CLASSES = Resource("/apis/storage.k8s.io/v1", "storageclasses", namespaced=False)
DEFINITIONS = Resource("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False)
SNAPSHOTS = Resource("/apis/snapshot.storage.k8s.io/v1", "volumesnapshots")
CONTENTS = Resource("/apis/snapshot.storage.k8s.io/v1", "volumesnapshotcontents", namespaced=False)
SOURCES = Resource("/apis/volsync.backube/v1alpha1", "replicationsources")
DESTINATIONS = Resource("/apis/volsync.backube/v1alpha1", "replicationdestinations")


@dataclass(frozen=True)
class Access:
    """How to reach an API server: base URL, the authority's PEM file, and a certificate with its key or a token."""

    server: str
    authority: Path
    certificate: Path | None = None
    key: Path | None = None
    token: str = field(default="", repr=False)

    def tls(self) -> ssl.SSLContext:
        """The TLS settings of this access."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Access:
        """The access that a kubeconfig of this lab gives to a pod (they are written as JSON, with a token)."""
        config = read_file(path, an_object)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        return cls(cluster["server"], Path(cluster["certificate-authority"]), token=user["token"])


class Kube:
    """Requests to one API server (or to the virtual address before several). Safe to use from many threads."""

    def __init__(self, access: Access, timeout_s: float = 15.0) -> None:
        self.access = access
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        self._http = httpx.Client(
            base_url=access.server, verify=access.tls(), timeout=timeout_s, trust_env=False, headers=headers
        )

    def __enter__(self) -> Kube:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def ready(self) -> bool:
        """Whether the server says that it is ready (False also while nothing listens)."""
        try:
            return self._client().get("/readyz", timeout=5.0).status_code == 200
        except httpx.TransportError:
            return False

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """One object, or None when it does not exist."""
        try:
            return self._call("GET", resource.url(namespace, name))
        except ApiRefused as refused:
            if refused.status == 404:
                return None
            raise

    def list(self, resource: Resource, namespace: str = "", selector: str = "") -> list[Object]:
        """All objects of a collection."""
        query = {"labelSelector": selector} if selector else {}
        items: list[Object] = self._call("GET", resource.url(namespace), params=query).get("items") or []
        return items

    def create(self, resource: Resource, item: Object, sub: str = "", name: str = "") -> Object:
        """Create an object, or post to a sub-resource of the object `name` (binding, token). The stored object comes back."""
        namespace = item["metadata"].get("namespace", "")
        return self._call("POST", resource.url(namespace, name, sub), body=item)

    def patch(self, resource: Resource, item: Object, change: Object, sub: str = "") -> Object:
        """Merge-patch an object (`sub="status"`: its status)."""
        return self._call("PATCH", resource.of(item, sub), body=change, kind="application/merge-patch+json")

    def apply(self, resource: Resource, item: Object) -> Object:
        """Server-side apply with force, as field manager "lab"."""
        return self.apply_text(resource, resource.of(item), json.dumps(item).encode())

    def apply_text(self, resource: Resource, url: str, text: bytes) -> Object:
        """Server-side apply of YAML as it is: the API server reads YAML itself."""
        query = {"fieldManager": "lab", "force": "true"}
        return self._call("PATCH", url, content=text, kind="application/apply-patch+yaml", params=query)

    def delete(self, resource: Resource, item: Object, *, at_once: bool = False) -> bool:
        """Delete exactly this object (by uid, where it has one); False when it was gone already. `at_once`: no grace."""
        # As kubectl does: left to itself the server would leave the pods of a Job behind.
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid := item["metadata"].get("uid"):
            options["preconditions"] = {"uid": uid}
        if at_once:
            options["gracePeriodSeconds"] = 0
        try:
            self._call("DELETE", resource.of(item), body=options)
        except ApiRefused as refused:
            if refused.status in (404, 409):
                return False
            raise
        return True

    def text(self, path: str) -> str:
        """The plain text behind a path (logs, /readyz)."""
        return self._checked(self._client().get(path)).text

    def watch(self, resource: Resource, version: str, timeout_s: int) -> Iterator[Object]:
        """Events after `version` until the server ends the watch (after `timeout_s` at the latest)."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(timeout_s),
            "allowWatchBookmarks": "true",
        }
        timeout = httpx.Timeout(15.0, read=timeout_s + 15.0)
        with self._client().stream("GET", resource.url(), params=query, timeout=timeout) as answer:
            if answer.status_code != 200:
                answer.read()
            for line in self._checked(answer).iter_lines():
                yield read(line, an_object)

    def raw_list(self, resource: Resource) -> Object:
        """A collection with its own resourceVersion, for a watch to go on from."""
        return self._call("GET", resource.url())

    def _client(self) -> httpx.Client:
        if self._http.is_closed:  # for a caller of another thread this is a server that went away, not a bug
            raise httpx.ConnectError("the connections were given back")
        return self._http

    def _call(
        self,
        method: str,
        url: str,
        *,
        body: Object | None = None,
        content: bytes | None = None,
        kind: str = "application/json",
        params: Mapping[str, str] | None = None,
    ) -> Object:
        if body is not None:
            content = json.dumps(body).encode()
        headers = {"Content-Type": kind} if content is not None else {}
        answer = self._checked(self._client().request(method, url, content=content, headers=headers, params=params))
        found: Object = answer.json()
        return found

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        try:
            said = answer.json()
            raise ApiRefused(answer.status_code, said.get("reason", ""), said.get("message", ""))
        except json.JSONDecodeError:
            raise ApiRefused(answer.status_code, "", answer.text[:300]) from None
