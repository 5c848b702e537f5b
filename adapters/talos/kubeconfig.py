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
from adapters.kubernetes.kubeconfig import config_of, keys_fit, said_in
from adapters.talos.redaction import register_secrets
from adapters.talos.talosconfig import SPARE_S
from engine.errors import PermanentError, TransientError


@dataclass(frozen=True)
class Kubeconfig:
    """The API's URL, its CA as PEM, and whether the client certificate is good for another day: of the current context."""

    server: str
    ca: str
    current: bool


def read(path: Path) -> Kubeconfig | None:
    """The kubeconfig at `path`, None when there is none or it is none that we could ask with (then it is fetched again)."""
    try:
        register_secrets(said := said_in(path))
        config = config_of(path, said)
    except (PermanentError, TransientError):
        return None
    user = config.user
    ca, certificate = _decoded(config.cluster.certificate_auth_data), _decoded(user.client_cert_data if user else "")
    until = ends_at(certificate)
    if not ca or until is None or not keys_fit(config):
        return None
    return Kubeconfig(config.cluster.server, ca, until > time.time() + SPARE_S)


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


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
