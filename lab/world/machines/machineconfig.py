"""A machineconfig as a Talos machine reads it: checked the way it checks, reduced to what the World acts on. Knows no machine."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.talos.machineconfig import documents
from engine.errors import PermanentError


class ConfigRefused(Exception):
    """The machine does not take this configuration; the text is what it answers (InvalidArgument)."""


@dataclass(frozen=True)
class KeyPair:
    """Certificate and private key as PEM text; `key` is "" where the machine holds none (a worker's Talos CA)."""

    crt: str
    key: str


@dataclass(frozen=True)
class MachineConfig:
    """One complete configuration. `text` is exactly what was applied."""

    text: str
    control_plane: bool
    hostname: str
    cluster_name: str
    endpoint: str
    install_disk: str
    os_ca: KeyPair
    etcd_ca: KeyPair
    k8s_ca: KeyPair
    cert_sans: tuple[str, ...]
    document: Mapping[str, Any]


def parse(text: str) -> MachineConfig | None:
    """The configuration in `text`; None when it holds no v1alpha1 document (a machine in maintenance then stays there)."""
    try:
        found = documents(text)
    except PermanentError as error:
        raise ConfigRefused(f"failed to parse config: {error.what}") from error
    if not found:
        raise ConfigRefused("failed to parse config: no documents")
    main = next((d for d in found if "kind" not in d), None)
    if main is None:
        return None
    machine, cluster = _mapping(main, "machine"), _mapping(main, "cluster")
    kind = machine.get("type")
    if kind not in ("controlplane", "worker"):
        raise ConfigRefused(f"1 error occurred:\n\t* machine type {kind!r} is not supported")
    control_plane = kind == "controlplane"
    os_ca = _pair(machine.get("ca"))
    if not os_ca.crt or (control_plane and not os_ca.key):
        raise ConfigRefused("1 error occurred:\n\t* machine.ca is required: issuing CA certificate and key")
    endpoint = _mapping(cluster, "controlPlane").get("endpoint", "")
    if not endpoint:
        raise ConfigRefused("1 error occurred:\n\t* invalid cluster endpoint: no endpoint")
    return MachineConfig(
        text=text,
        control_plane=control_plane,
        hostname=_hostname(machine, found),
        cluster_name=str(cluster.get("clusterName", "")),
        endpoint=str(endpoint),
        install_disk=str(_mapping(machine, "install").get("disk", "")),
        os_ca=os_ca,
        etcd_ca=_pair(_mapping(cluster, "etcd").get("ca")),
        k8s_ca=_pair(cluster.get("ca")),
        cert_sans=tuple(str(name) for name in machine.get("certSANs") or ()),
        document=main,
    )


def _hostname(machine: Mapping[str, Any], found: tuple[dict[str, Any], ...]) -> str:
    """From machine.network, or from the HostnameConfig document that contracts from 1.12 on use instead."""
    named = _mapping(machine, "network").get("hostname")
    if named:
        return str(named)
    for document in found:
        if document.get("kind") == "HostnameConfig" and document.get("hostname"):
            return str(document["hostname"])
    return ""


def _mapping(outer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = outer.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _pair(value: Any) -> KeyPair:
    if not isinstance(value, Mapping):
        return KeyPair("", "")
    return KeyPair(_pem(value.get("crt")), _pem(value.get("key")))


def _pem(value: Any) -> str:
    """PEM text out of the base64 that machineconfigs carry; the modelled house writes plain words instead of keys."""
    text = str(value or "")
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
    return decoded if decoded.startswith("-----BEGIN") else text
