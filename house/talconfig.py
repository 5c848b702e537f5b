"""Reads talos/talconfig.yaml as talhelper does: environment files, `${VAR}`, nodes. Knows no VM and renders no machineconfig."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import yamlfile
from house.patches import refused_patches
from house.problems import Problem, Steps, dotted, shown
from house.shapes import mapping, sequence
from house.substitution import substitute
from house.values import kind_of, mac_of
from house.yamlfile import Document, YamlInvalid

_BUNDLES = ("talsecret.sops.yaml", "talsecret.sops.yml", "talsecret.yaml", "talsecret.yml")
_DISK = re.compile(r"/dev/[sv]d([a-z])\b")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[\w.]+)?$")
_ENVIRONMENTS = ("talenv.yaml", "talenv.yml")


@dataclass(frozen=True)
class TalosNode:
    """One node of talconfig: `mac` is "" when no interface names a hardware address. `line` is where it is declared.

    `installer` is the image that Talos is installed from ("" for Talos' own); `disk_count` how many disks the node's own
    section names, counted up to the last letter of /dev/sd….
    """

    name: str
    address: str
    mac: str
    control_plane: bool
    install_disk: str
    line: int
    installer: str = ""
    disk_count: int = 1


@dataclass(frozen=True)
class Talconfig:
    """What talconfig.yaml says; paths are absolute. `secrets_bundle` may not exist yet; `refused` are patches that talhelper
    will not apply, `notes` what is taken for granted instead of being read."""

    file: Path
    name: str
    cluster: str
    endpoint: str
    vip: str
    talos_version: str
    kubernetes_version: str
    nodes: tuple[TalosNode, ...]
    secrets_bundle: Path
    refused: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


class _Reader:
    def __init__(self, document: Document, variables: Mapping[str, str]) -> None:
        self.document = document
        self.variables = variables
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

    def wrong(self, where: Steps, what: str, better: str) -> None:
        self.problems.append(Problem(self.document.name, self.document.line(where), dotted(where), what, better))

    def text(self, where: Steps, better: str = "") -> str:
        """The scalar at `where` as written, substituted; a problem when it is absent and `better` says what belongs there."""
        done = substitute(self.document.text(where), self.variables)
        for name in done.missing:
            self.wrong(where, f"${{{name}}} has no value", "give it one in talenv.yaml")
        if not done.text and better:
            self.wrong(where, "is missing", better)
        return "" if done.missing else done.text


def read_talconfig(root: Path) -> tuple[Talconfig | None, tuple[Problem, ...]]:
    """The talconfig of a repository, and what is wrong with it. None when there is nothing to go on with."""
    folder = root / "talos"
    file = folder / "talconfig.yaml"
    try:
        documents = yamlfile.load(file, shown(file, root))
        variables = _environment(folder, root)
    except YamlInvalid as error:
        return None, (error.problem,)
    if not documents or not isinstance(documents[0].value, dict):
        return None, (Problem(shown(file, root), 0, "", "holds no cluster", "write what talhelper reads"),)
    reader = _Reader(documents[0], variables)
    reader.problems += yamlfile.duplicate_problems(documents[0])
    for document in documents[1:]:
        what = "a second document begins here, which is not read"
        reader.problems.append(Problem(document.name, document.spot.line, "", what, "keep one document"))
    nodes = _nodes(reader)
    talos_version = _version(reader, "talosVersion", "v1.13.9")
    made = Talconfig(
        file=file,
        name=documents[0].name,
        cluster=reader.text(("clusterName",), "write the cluster's name, as in `clusterName: kubernetes`"),
        endpoint=reader.text(("endpoint",), "write the API's URL, as in `endpoint: https://10.0.0.2:6443`"),
        vip=substitute(_vip(documents[0].value), variables).text,
        talos_version=talos_version,
        kubernetes_version=_version(reader, "kubernetesVersion", "v1.36.3"),
        nodes=nodes,
        secrets_bundle=next((folder / n for n in _BUNDLES if (folder / n).is_file()), folder / _BUNDLES[0]),
        refused=refused_patches(documents[0], root, talos_version),
        notes=tuple(reader.notes),
    )
    return made, tuple(reader.problems)


def _version(reader: _Reader, key: str, like: str) -> str:
    told = reader.text((key,), f"write the version, as in `{key}: {like}`")
    if told and not _VERSION.match(told):
        reader.wrong((key,), f"`{told}` is not a version", f"write it as in {like}")
    return told


def _environment(folder: Path, root: Path) -> dict[str, str]:
    """Variables of talenv.yaml (an encrypted talenv.sops.yaml is not looked into: what it holds stays unresolved)."""
    for name in _ENVIRONMENTS:
        file = folder / name
        if file.is_file():
            documents = yamlfile.load(file, shown(file, root))
            return {key: documents[0].text((key,)) for key in mapping(documents[0].value)} if documents else {}
    return {}


def _nodes(reader: _Reader) -> tuple[TalosNode, ...]:
    value = reader.document.value.get("nodes")
    if not isinstance(value, list) or not value:
        reader.wrong(("nodes",), "is empty", "list at least one node")
        return ()
    nodes = []
    for index, item in enumerate(value):
        where: Steps = ("nodes", index)
        body = mapping(item)
        address = reader.text((*where, "ipAddress"), "write the node's address, as in `ipAddress: 10.0.0.11`").split(",")[0].strip()
        if address and not _is_address(address):
            reader.wrong((*where, "ipAddress"), f"`{address}` is not an address", "write it as in 10.0.0.11")
        nodes.append(
            TalosNode(
                name=reader.text((*where, "hostname"), "write the node's name, as in `hostname: cp-1`"),
                address=address,
                mac=_mac(reader, where, body),
                control_plane=_is_control_plane(reader, where, body),
                install_disk=_install_disk(reader, where, body),
                line=reader.document.line(where),
                installer=reader.text((*where, "talosImageURL")),
                disk_count=max((ord(letter) - ord("a") + 1 for letter in _DISK.findall(str(body))), default=1),
            )
        )
    _twice(reader, nodes)
    if not any(node.control_plane for node in nodes):
        reader.wrong(("nodes",), "no node is a control plane", "set `controlPlane: true` on at least one")
    return tuple(nodes)


def _is_control_plane(reader: _Reader, where: Steps, body: Mapping[str, Any]) -> bool:
    value = body.get("controlPlane", False)
    if not isinstance(value, bool):
        reader.wrong((*where, "controlPlane"), f"is {kind_of(value)}, not true or false", "write `controlPlane: true` or false")
    return value is True


def _install_disk(reader: _Reader, where: Steps, body: Mapping[str, Any]) -> str:
    named = reader.text((*where, "installDisk"))
    if not named and body.get("installDiskSelector"):
        line = reader.document.line((*where, "installDiskSelector"))
        what = "installDiskSelector is not followed: the first disk is taken for the one that Talos is installed to"
        reader.notes.append(Problem(reader.document.name, line, "", what, "write installDisk, or look whether it is so"))
    return named or "/dev/sda"


def _twice(reader: _Reader, nodes: list[TalosNode]) -> None:
    for field, attribute in (("hostname", "name"), ("ipAddress", "address"), ("networkInterfaces", "mac")):
        seen: dict[str, str] = {}
        for index, node in enumerate(nodes):
            value = getattr(node, attribute)
            if value and value in seen:
                noun = {"name": "name", "address": "address", "mac": "MAC"}[attribute]
                reader.wrong(("nodes", index, field), f"{noun} {value} is also that of {seen[value]}", "give each node its own")
            elif value:
                seen[value] = node.name


def _mac(reader: _Reader, where: Steps, body: Mapping[str, Any]) -> str:
    for index, interface in enumerate(sequence(body.get("networkInterfaces"))):
        hardware = mapping(mapping(interface).get("deviceSelector")).get("hardwareAddr")
        if isinstance(hardware, str) and "*" not in hardware:
            try:
                return mac_of(substitute(hardware, reader.variables).text)
            except ValueError as error:
                what, _, better = str(error).partition("; ")
                reader.wrong((*where, "networkInterfaces", index, "deviceSelector", "hardwareAddr"), what, better)
                return hardware
    return ""


def _vip(value: Mapping[str, Any]) -> str:
    """The virtual address of the control planes, "" when there is none."""
    for part in (*sequence(value.get("nodes")), value.get("controlPlane")):
        for interface in sequence(mapping(part).get("networkInterfaces")):
            vip = mapping(mapping(interface).get("vip")).get("ip")
            if isinstance(vip, str):
                return vip
    return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
