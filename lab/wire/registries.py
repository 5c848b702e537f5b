"""A registry of container images over HTTPS, as far as one is asked whether it has an image: no layer is served.

It stands for every registry, as a mirror does: `ns` says whose image is meant. Like public ones it gives a manifest to nobody
without a token, and a token to everybody. What exists is told by whoever starts it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import ServerKeys

_MANIFEST = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/manifests/(?P<wanted>[\w.:-]+)")
KIND = "application/vnd.oci.image.index.v1+json"
_BODY = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
_TOKEN = "for-everybody"  # noqa: S105 - it is


class RegistryDoor:
    """Serves from `start` to `close`. `exists` says of an image (`registry/repository`, with tag or digest) whether it is there.

    `refuse`: every answer is this status; `counted`: the headers that tell how many more pulls are allowed; `denied` are
    repositories for which nobody gets a token. `encoding` is what the token's answer is said to be packed by, `leads` where every
    manifest's head is said to be ("" for here). `asked` is what was, in order: the method and the image.
    """

    def __init__(
        self, address: str, port: int, keys: ServerKeys, exists: Callable[[str], bool] = lambda image: True
    ) -> None:  # fmt: skip
        self.refuse = 0
        self.counted: dict[str, str] = {}
        self.denied: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.kind, self.encoding, self.leads = KIND, "identity", ""
        self._exists = exists
        self._server = HttpsServer(address, port, keys.context("http/1.1"), self.answer)

    @property
    def url(self) -> str:
        """`https://address:port`."""
        return self._server.url

    def start(self) -> RegistryDoor:
        """Begin to answer."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._server.close()

    def answer(self, request: Request) -> Reply:
        """A manifest's head or body, or a token; 404 for anything else."""
        target = urlsplit(request.target)
        query = {key: values[0] for key, values in parse_qs(target.query).items()}
        if self.refuse:
            return Reply(self.refuse, "Refused")
        if target.path == "/token":
            return self._token(query.get("scope", ""))
        found = _MANIFEST.fullmatch(target.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return _problem(404, "Not Found", "UNSUPPORTED")
        scope = f"repository:{found['name']}:pull"
        if request.headers.get("authorization") != f"Bearer {_TOKEN}-{scope}":
            challenge = f'Bearer realm="{self.url}/token",service="lab",scope="{scope}"'
            return _problem(401, "Unauthorized", "UNAUTHORIZED", {"WWW-Authenticate": challenge})
        return self._manifest(request, found["name"], found["wanted"], query.get("ns", ""))

    def _token(self, scope: str) -> Reply:
        name = scope.removeprefix("repository:").removesuffix(":pull")
        if name in self.denied:
            return _problem(403, "Forbidden", "DENIED")
        headers = {"Content-Type": "application/json", "Content-Encoding": self.encoding}
        return Reply(headers=headers, body=json.dumps({"token": f"{_TOKEN}-{scope}"}).encode())

    def _manifest(self, request: Request, name: str, wanted: str, registry: str) -> Reply:
        image = f"{registry}/{name}{'@' if ':' in wanted else ':'}{wanted}"
        self.asked.append((request.method, image))
        if self.leads:
            return Reply(302, "Found", {"Location": self.leads})
        if not self._exists(image):
            return _problem(404, "Not Found", "MANIFEST_UNKNOWN")
        digest = wanted if ":" in wanted else f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"
        headers = {"Content-Type": self.kind, "Docker-Content-Digest": digest, **self.counted}
        return Reply(headers=headers, body=_BODY)


def of_machines(image: str) -> bool:
    """Whether it is one of those that Talos' machines pull: these are there at every version."""
    return image.startswith(("ghcr.io/siderolabs/", "registry.k8s.io/kube-"))


def _problem(status: int, reason: str, code: str, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps({"errors": [{"code": code}]}).encode()
    return Reply(status, reason, {"Content-Type": "application/json", **(headers or {})}, body)
