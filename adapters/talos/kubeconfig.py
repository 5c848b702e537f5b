"""Reads a kubeconfig and a machineconfig for the one question whether they belong together. Knows no API server."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.certificates import ends_at
from adapters.talos.redaction import register_secrets
from adapters.talos.talosconfig import SPARE_S
from engine.content import text_of
from engine.errors import PermanentError
from house.files import yamlfile


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig's API URL, its CA as PEM, and whether its client certificate is good for another day."""

    server: str
    ca: str
    current: bool


def read(path: Path) -> Kubeconfig | None:
    """The kubeconfig at `path`, None when there is none or it is no usable one (then it is fetched again)."""
    try:
        document = yamlfile.value(text_of(path), path.name)
    except (OSError, UnicodeDecodeError, PermanentError):
        return None
    register_secrets(document)
    cluster = _first(document, "clusters", "cluster")
    user = _first(document, "users", "user")
    ca, certificate = _decoded(cluster.get("certificate-authority-data")), _decoded(user.get("client-certificate-data"))
    if not ca or not certificate:
        return None
    until = ends_at(certificate)
    if until is None:
        return None
    return Kubeconfig(str(cluster.get("server", "")), ca, until > time.time() + SPARE_S)


def kubernetes_ca(documents: Sequence[dict[str, Any]]) -> str:
    """The Kubernetes CA in a control plane's machineconfig as PEM ("" in a worker's of contract 1.14).

    Up to contract 1.13 it is `cluster.ca`; from 1.14 on a KubeAPIServerCAConfig document says it, and wins.
    """
    for document in documents:
        if document.get("kind") == "KubeAPIServerCAConfig":
            issuing = document.get("issuingCA")
            return _decoded(issuing.get("crt") or issuing.get("cert")) if isinstance(issuing, dict) else ""
    for document in documents:
        cluster = document.get("cluster")
        if isinstance(cluster, dict) and isinstance(cluster.get("ca"), dict):
            return _decoded(cluster["ca"].get("crt"))
    return ""


def endpoint(documents: Sequence[dict[str, Any]]) -> str:
    """The Kubernetes API's URL in a machineconfig, "" where it is not said in `cluster.controlPlane`."""
    for document in documents:
        cluster = document.get("cluster")
        if isinstance(cluster, dict) and isinstance(cluster.get("controlPlane"), dict):
            return str(cluster["controlPlane"].get("endpoint") or "")
    return ""


def same_place(one: str, other: str) -> bool:
    """Whether two API URLs name the same host and port."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.hostname, first.port or 443) == (second.hostname, second.port or 443)


def _first(document: Any, group: str, name: str) -> dict[str, Any]:
    entries = document.get(group) if isinstance(document, dict) else None
    entry = entries[0] if isinstance(entries, list) and entries else None
    inner = entry.get(name) if isinstance(entry, dict) else None
    return inner if isinstance(inner, dict) else {}


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
