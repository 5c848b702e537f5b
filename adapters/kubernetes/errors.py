"""Translates what the Kubernetes API and the way to it answer into our errors. Knows status codes, never what was wanted."""

from __future__ import annotations

import re
import ssl
from typing import Any

import httpx2

from adapters.kubernetes.objects import dig, rows, text
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.text.jsontext import Malformed, an_object, read


class ObjectAbsent(PermanentError):
    """The API serves this kind, and there is no such object (or no such namespace)."""


class KindNotServed(PermanentError):
    """The API does not serve this kind: its CRD is not there (yet)."""


class AlreadyThere(PermanentError):
    """An object of this name exists, so it was not created."""


class Changed(TransientError):
    """The object is no longer the one that was looked at: look again, then decide again."""


class FieldConflict(PermanentError):
    """Another field manager owns a field that server-side apply would have changed. `fields` holds `manager: path` lines."""

    def __init__(self, what: str, fields: tuple[str, ...]) -> None:
        super().__init__(what, evidence=fields)
        self.fields = fields


class Refused(PermanentError):
    """The API (its schema, its admission or its authorization) said no. `status` is the HTTP code, `message` its words."""

    def __init__(self, what: str, *, status: int, message: str, hint: str = "") -> None:
        super().__init__(what, evidence=(message,) if message else (), hint=hint)
        self.status = status
        self.message = message


# kubernetes, pkg/apiserver authorization: the words of every refusal by RBAC.
_LACKING = re.compile(r'cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?')
_BUSY = {408, 410, 429, 500, 502, 503, 504}


def status_of(body: bytes) -> dict[str, Any]:
    """The API's Status object in an answer's body; an empty mapping when the body is none."""
    try:
        parsed = read(body, an_object)
    except Malformed:
        return {}
    return parsed if parsed.get("kind") == "Status" else {}


def from_answer(code: int, body: bytes, what: str, *, quiet: bool = False) -> BlackstartError:
    """Our error for an answer that is not 2xx. `quiet`: do not repeat the server's words (they may quote a Secret)."""
    status = status_of(body)
    message = "" if quiet else text(status, "message") or body[:300].decode("utf-8", "replace").strip()
    reason = text(status, "reason")
    evidence = tuple(x for x in (f"HTTP {code} {reason}".strip(), message) if x)
    if code in _BUSY:
        return TransientError(f"{what}: the API server is busy or not ready", evidence=evidence)
    if code == 404:
        if not status or not dig(status, "details", "name"):
            return KindNotServed(f"{what}: the API server does not serve this kind", evidence=evidence)
        return ObjectAbsent(f"{what}: not found", evidence=evidence)
    if code == 409:
        return _conflict(status, reason, what, evidence)
    if code == 401:
        return Refused(
            f"{what}: the API server does not know us",
            status=code,
            message=message,
            hint="the kubeconfig in the state folder is of another cluster, or its certificate has expired",
        )
    return Refused(f"{what}: refused ({reason or code})", status=code, message=message, hint=_right(message))


def _right(message: str) -> str:
    """What would have to be granted, where the authorizer says what was lacking; an admission's no names no right."""
    lacking = _LACKING.search(message)
    if lacking is None:
        return ""
    verb, resource, group, where = lacking.groups()
    name = f"{resource}.{group}" if group else resource
    place = f" in namespace {where}" if where else " in all namespaces"
    return f"let this kubeconfig's user {verb} {name}{place} (kubectl auth can-i {verb} {name})"


def _conflict(status: dict[str, Any], reason: str, what: str, evidence: tuple[str, ...]) -> BlackstartError:
    if reason == "AlreadyExists":
        return AlreadyThere(f"{what}: exists already", evidence=evidence)
    causes = [c for c in rows(status, "details", "causes") if c.get("reason") == "FieldManagerConflict"]
    if causes:
        return FieldConflict(
            f"{what}: another field manager owns what we would set",
            tuple(f"{text(c, 'message')}: {text(c, 'field')}" for c in causes),
        )
    return Changed(f"{what}: it changed since it was looked at", evidence=evidence)


def from_transport(error: httpx2.HTTPError, what: str, server: str) -> BlackstartError:
    """Our error for a request that got no answer: another CA is permanent, all else may pass."""
    if _is_foreign_certificate(error):
        return PermanentError(
            f"{what}: the server at {server} does not show a certificate of this cluster's CA",
            evidence=(f"{type(error).__name__}: {error}",),
            hint="the kubeconfig is of a cluster that is gone, or another machine answers at this address",
        )
    return TransientError(
        f"{what}: no answer from the API server at {server}",
        evidence=(f"{type(error).__name__}: {error}".rstrip(": "),),
    )


def _is_foreign_certificate(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 6:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
