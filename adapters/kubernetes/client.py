"""One HTTP client per API server, on lightkube's reading of kubeconfigs (addresses, CA, certificates, tokens).

Objects are plain dictionaries here, because what we need and typed clients lack are preconditions on delete, dry-run per
request and answers that are no objects. Knows no kind by name; only adapters that sit beside it see a dictionary.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from lightkube.config import client_adapter
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from adapters.kubernetes.errors import KindNotServed, ObjectAbsent, from_answer, from_transport
from adapters.kubernetes.kinds import SECRET, Kind
from adapters.kubernetes.kubeconfig import load_config, unusable
from adapters.kubernetes.objects import Obj, text
from adapters.kubernetes.unwritten import unwritten
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.text.jsontext import Malformed, an_object, read
from house.model import House

FIELD_MANAGER = "blackstart"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGE = "500"
_TIMEOUT = httpx2.Timeout(20.0, connect=4.0)


@dataclass(frozen=True)
class ApiAnswer:
    """What a server said, whatever it said: the HTTP code and the body."""

    code: int
    body: bytes


class ApiClient:
    """One API server. Safe to use from several threads. Raises only engine.errors and their kin in errors.py."""

    def __init__(self, config: SingleConfig, *, server: str = "", timeout: httpx2.Timeout = _TIMEOUT) -> None:
        if server:
            cluster = msgspec.structs.replace(config.cluster, server=server)
            config = config._replace(cluster=cluster)
        self.server = config.cluster.server
        self._config = config
        try:
            # trust_env=False: no proxy and no CA bundle of the caller's environment may come between us and the cluster.
            with unwritten(config) as readable:
                self._http = client_adapter.Client(
                    readable, client_adapter.ConnectionParams(timeout=timeout, trust_env=False)
                )
        except (OSError, ValueError, TypeError, AssertionError, ConfigError) as error:
            raise PermanentError(
                "The kubeconfig in the state folder cannot be used",
                evidence=(unusable(error),),
                hint="delete it: the step that fetches the kubeconfig makes it again",
            ) from error

    def as_bearer(self, token: Secret) -> ApiClient:
        """The same server, asked with this token instead of our own certificate."""
        return ApiClient(self._config._replace(user=User(token=token.reveal())))

    def kubeconfig_with(self, token: Secret) -> str:
        """A kubeconfig (JSON, which is YAML) for the same server with this token: secret text, for a 0600 file."""
        cluster = msgspec.to_builtins(self._config.cluster)
        if self._config.cluster.certificate_auth:
            cluster["certificate-authority"] = str(self._config.abs_file(self._config.cluster.certificate_auth))
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "run",
                "contexts": [{"name": "run", "context": {"cluster": "run", "user": "run"}}],
                "clusters": [{"name": "run", "cluster": cluster}],
                "users": [{"name": "run", "user": {"token": token.reveal()}}],
            }
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout_s: float | None = None,
    ) -> ApiAnswer:
        """Send one request; every HTTP code is an answer, only silence is an error. `what` opens the error's sentence."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept} | ({"Content-Type": content_type} if content is not None else {})
        timeout = _TIMEOUT if timeout_s is None else httpx2.Timeout(timeout_s, connect=min(4.0, timeout_s))
        # A kept connection that the server has closed meanwhile fails once at no fault of the server: reads go again.
        for last in (False, True) if method == "GET" else (True,):
            try:
                answer = self._http.request(
                    method, path, params=dict(params or {}), content=content, headers=headers, timeout=timeout
                )
                return ApiAnswer(answer.status_code, answer.content)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
                if last:
                    raise from_transport(error, what, self.server) from error
            except httpx2.HTTPError as error:
                raise from_transport(error, what, self.server) from error
        raise AssertionError("unreachable")

    def demand(self, method: str, path: str, what: str, *, quiet: bool = False, **rest: Any) -> Obj:
        """As `ask`, but any code other than 2xx is raised as our error; the body comes back as an object."""
        answer = self.ask(method, path, what, **rest)
        if not 200 <= answer.code < 300:
            raise from_answer(answer.code, answer.body, what, quiet=quiet)
        try:
            return read(answer.body, an_object)
        except Malformed as error:
            raise TransientError(f"{what}: the answer is no JSON object", evidence=(f"HTTP {answer.code}",)) from error

    def get(self, kind: Kind, name: str, namespace: str = "") -> Obj | None:
        """One object, None when there is none. KindNotServed when the API does not know the kind."""
        if not name:  # which would ask for the whole collection
            return None
        try:
            return self.demand("GET", kind.path(namespace, name), _what("read", kind, name, namespace))
        except ObjectAbsent:
            return None

    def list_objects(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", metadata_only: bool = False
    ) -> list[Obj]:
        """Every object of this kind (in `namespace`, or in all), page by page, from one consistent state."""
        what = _what("list", kind, "", namespace)
        wanted = {"labelSelector": labels, "fieldSelector": fields, "limit": _PAGE}
        params = {k: v for k, v in wanted.items() if v}
        found: list[Obj] = []
        while True:
            page = self.demand(
                "GET",
                kind.path(namespace),
                what,
                params=params,
                accept=METADATA_ONLY if metadata_only else "application/json",
            )
            found += _items(page, what)
            following = text(page, "metadata", "continue")
            if not following:
                return found
            params = {**params, "continue": following}

    def list_if_served(self, kind: Kind, namespace: str = "", *, labels: str = "") -> list[Obj] | None:
        """As `list_objects`, but None when the API does not serve the kind: no such thing can exist then."""
        try:
            return self.list_objects(kind, namespace, labels=labels)
        except KindNotServed:
            return None

    def create(self, kind: Kind, obj: Obj, namespace: str = "", *, dry_run: bool = False) -> Obj:
        """Create; AlreadyThere when the name is taken."""
        return self._write("POST", kind, obj, namespace, dry_run=dry_run)

    def replace(self, kind: Kind, obj: Obj, namespace: str = "") -> Obj:
        """Replace; with metadata.resourceVersion in `obj` it is a compare-and-swap (Changed when somebody was quicker)."""
        return self._write("PUT", kind, obj, namespace)

    def apply(self, kind: Kind, obj: Obj, namespace: str = "", *, force: bool = False) -> Obj:
        """Server-side apply as `blackstart`; without `force`, FieldConflict when another manager holds another value."""
        params = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
        return self._write("PATCH", kind, obj, namespace, params=params, content_type=APPLY)

    def merge(self, kind: Kind, name: str, patch: Obj, namespace: str = "") -> Obj:
        """JSON merge patch of one object, as `blackstart`; ObjectAbsent when there is none."""
        return self.demand(
            "PATCH",
            kind.path(namespace, name),
            _what("change", kind, name, namespace),
            params={"fieldManager": FIELD_MANAGER},
            body=patch,
            content_type=MERGE,
            quiet=kind is SECRET,
        )

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        cascade: str = "",
    ) -> bool:
        """Delete; False when it was not there. With `uid` and `resource_version`: only if it still is that very object."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {k: v for k, v in wanted.items() if v}
        body: Obj = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if preconditions:
            body["preconditions"] = preconditions
        if cascade:
            body["propagationPolicy"] = cascade
        try:
            self.demand("DELETE", kind.path(namespace, name), _what("delete", kind, name, namespace), body=body)
        except ObjectAbsent:
            return False
        return True

    def _write(
        self,
        method: str,
        kind: Kind,
        obj: Obj,
        namespace: str,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        dry_run: bool = False,
    ) -> Obj:
        name = text(obj, "metadata", "name")
        place = namespace or text(obj, "metadata", "namespace")
        verb = {"POST": "create", "PUT": "replace", "PATCH": "apply"}[method]
        return self.demand(
            method,
            kind.path(place, "" if method == "POST" else name),
            _what(verb, kind, name, place),
            params={"fieldManager": FIELD_MANAGER} | dict(params or {}) | ({"dryRun": "All"} if dry_run else {}),
            body={"apiVersion": kind.api_version, "kind": kind.name} | obj,
            content_type=content_type,
            quiet=kind is SECRET,
        )


def _items(page: Obj, what: str) -> list[Obj]:
    """The objects of a list. TransientError for an answer that is none: what does not list them does not say that there are none.

    A server written in Go says `null` for no items; it never leaves them out.
    """
    found = page.get("items", page)
    if found is not None and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise TransientError(f"{what}: the answer is no list", hint="a proxy in between, or an API server that is starting?")
    return found or []


def _what(verb: str, kind: Kind, name: str, namespace: str) -> str:
    place = "/".join(part for part in (namespace, name) if part)
    return f"{verb} {kind.name} {place}".rstrip()


class Clients:
    """The clients of one house: the cluster's endpoint, and each control plane at its own address.

    The kubeconfig is read when first needed and again when the file changes: it appears in the middle of a run.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._path = house.state_dir / "kubeconfig"
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._made: dict[str, ApiClient] = {}
        self._config: SingleConfig | None = None

    def main(self) -> ApiClient:
        """The client of the endpoint that the kubeconfig names."""
        return self._client("")

    def each(self) -> tuple[tuple[str, ApiClient], ...]:
        """(address, client) of every control plane's own API server, in the order of the house."""
        port = self._house.cluster.api_port
        return tuple(
            (node.address, self._client(f"https://{_host(node.address)}:{port}")) for node in self._house.control_planes
        )

    def kubeconfig(self) -> Path:
        """Where the admin kubeconfig is (it may not be there yet)."""
        return self._path

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            self._forget()

    def _client(self, server: str) -> ApiClient:
        with self._lock:
            stamp = self._look()
            if stamp is None or stamp != self._stamp:
                self._forget()
                self._config = load_config(self._path)
                self._stamp = stamp
            if server not in self._made:
                assert self._config is not None
                self._made[server] = ApiClient(self._config, server=server)
            return self._made[server]

    def _look(self) -> tuple[int, int, int] | None:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return (seen.st_ino, seen.st_mtime_ns, seen.st_size)

    def _forget(self) -> None:
        for client in self._made.values():
            client.close()
        self._made.clear()
        self._stamp = None


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
