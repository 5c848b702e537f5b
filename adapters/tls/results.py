"""What the port of TLS Secrets answers, and how the file that holds them is read. Asks nobody."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.certificates import certificates_in, ends_at
from adapters.kubernetes.objects import Obj, name_of, namespace_of, rows, table, text
from engine.errors import PermanentError
from engine.secrets import Secret
from engine.text import jsontext

TLS = "kubernetes.io/tls"
NAMED = "cert-manager.io/certificate-name"
"""The annotation by which cert-manager knows a Secret as one of its own (cert-manager.io/docs/reference/annotations)."""
_KEPT = ("cert-manager.io/", "controller.cert-manager.io/")


@dataclass(frozen=True)
class TlsSecret:
    """One TLS Secret: when its certificate ends (epoch seconds, None where that is not told), and the object itself."""

    namespace: str
    name: str
    ends: float | None
    manifest: Secret = field(repr=False, compare=False)

    def valid(self, now: float) -> bool:
        """Whether its certificate has not ended; one that says nothing may be."""
        return self.ends is None or self.ends > now

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class TlsThere:
    """What the cluster has: TLS Secrets by `namespace/name`, those of them that cert-manager made, and whether it has any
    Certificate: from its first one on it is cert-manager that says what is ordered."""

    secrets: frozenset[str]
    made: frozenset[str]
    certificates: bool


@dataclass(frozen=True)
class TlsSealed:
    """What the cluster has of them now, encrypted: the file's text, and each one's key and end."""

    text: str = field(repr=False)
    ends: Mapping[str, float | None]


def is_made(secret: Obj) -> bool:
    """Whether cert-manager made it."""
    return bool(text(secret, "metadata", "annotations", NAMED))


def written(secrets: Iterable[Obj]) -> tuple[Secret, Mapping[str, float | None]]:
    """A list that `kubectl create -f -` takes, with nothing of the cluster that was in it; and each one's end."""
    items = [_bare(one) for one in secrets]
    ends = {one.key: one.ends for one in map(_tls, items)}
    return Secret(json.dumps({"apiVersion": "v1", "kind": "List", "items": items})), ends


def read(told: str) -> tuple[TlsSecret, ...]:
    """What `written` wrote. PermanentError for anything else."""
    try:
        found = jsontext.read(told, jsontext.an_object, ours=True)
    except jsontext.Malformed as error:
        raise PermanentError("what was kept of TLS Secrets opens, and is no list of them") from error
    items = rows(found, "items")
    if found.get("kind") != "List" or not all(_is_tls(one) for one in items):
        raise PermanentError("what was kept of TLS Secrets opens, and is no list of them")
    return tuple(_tls(_bare(one)) for one in items)


def _is_tls(one: Obj) -> bool:
    return text(one, "type") == TLS and bool(name_of(one) and namespace_of(one)) and bool(table(one, "data"))


def _bare(secret: Obj) -> Obj:
    metadata = {
        "namespace": namespace_of(secret), "name": name_of(secret),
        **{kind: {key: value for key, value in table(secret, "metadata", kind).items() if key.startswith(_KEPT)}
           for kind in ("annotations", "labels")},
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": "Secret", "type": TLS, "metadata": metadata, "data": dict(table(secret, "data"))}


def _tls(one: Obj) -> TlsSecret:
    try:
        first = certificates_in(base64.b64decode(text(one, "data", "tls.crt"), validate=True).decode())[:1]
    except (binascii.Error, ValueError):
        first = ()
    return TlsSecret(namespace_of(one), name_of(one), ends_at(first[0]) if first else None, Secret(json.dumps(one)))
