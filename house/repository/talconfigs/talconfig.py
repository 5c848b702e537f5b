"""Reads talos/talconfig.yaml as talhelper does: environment files, `${VAR}`, nodes. Knows no VM and renders no machineconfig."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house.files import grammar, yamlfile
from house.files.paths import is_file
from house.files.problems import Problem, Steps, dotted, shown
from house.files.shapes import mapping, sequence
from house.files.typed import kind_of
from house.files.yamlfile import YamlInvalid
from house.flux.placed import Placed
from house.flux.substitution import substitute
from house.repository.named_files import check_talconfig
from house.repository.source import is_lived_in
from house.repository.talconfigs.addressing import Addressed, check_addressing, node_addresses
from house.repository.talconfigs.fields import check_fields
from house.repository.talconfigs.networks import check_networks
from house.repository.talconfigs.patches import all_patches, check_patches, refused_patches
from house.repository.talconfigs.schematic import schematic_of
from house.repository.versions import kubernetes_wrong

_BUNDLES = ("talsecret.sops.yaml", "talsecret.sops.yml", "talsecret.yaml", "talsecret.yml")
_DISK = re.compile(r"/dev/[sv]d([a-z])\b")
_INSTALLED = re.compile(r"/dev/[sv]d[a-z]|/dev/disk/by-[a-z]+/[\w:.+@-]+")
_INSTALLER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_@-]*")
_TAG = re.compile(r":(v[0-9][\w.-]*)(?:@|$)")
_MOST_NODES = 250
_ENVIRONMENTS = ("talenv.yaml", "talenv.yml")
_CLOSED = ("talenv.sops.yaml", "talenv.sops.yml")
_ENCRYPTED = "ENC["
_SAYS_NOTHING = frozenset({"", ".", "talos", "kubernetes", "cluster", "clusters", "flux", "apps", "config", "bootstrap"})


@dataclass(frozen=True)
class TalosNode:
    """One node of talconfig: `mac` is "" when no interface names a hardware address. `line` is where it is declared.

    `installer` is the image that Talos is installed from ("" for Talos' own), `schematic` the id at an Image Factory of what is
    in it, "" where nothing says. `disk_count` is how many disks the node's own section names, counted up to the last letter of
    /dev/sd…. `of_no_vm` is why it can be no VM that is made here: a machine of metal may be installed so.
    """

    name: str
    address: str
    mac: str
    control_plane: bool
    install_disk: str
    line: int
    installer: str = ""
    disk_count: int = 1
    addresses: tuple[str, ...] = ()
    schematic: str = ""
    of_no_vm: Problem | None = None


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


def talconfig_of(root: Path, found: Iterable[Path] = (), entry: str = "") -> Path:
    """Where the repository keeps its talconfig: the usual place, else the only one of those `found`; of several the only one that
    is called like a part of the `entry` path, else the only one that is called like a cluster that is lived in. The usual place
    where there is none."""
    usual = root / "talos" / "talconfig.yaml"
    if is_file(usual):
        return usual
    files = [file for file in found if file.name == usual.name]
    own = [file for file in files if _named_like(root, file, entry)]
    lived_in = [file for file in files if is_lived_in(shown(file.parent, root))]
    return next((each[0] for each in (files, own, lived_in) if len(each) == 1), usual)


def is_guessed(root: Path, file: Path, entry: str) -> bool:
    """Whether this one of several was taken for no better reason than that it is called like a cluster that is lived in."""
    return is_file(file) and file != root / "talos" / "talconfig.yaml" and not _named_like(root, file, entry)


def _named_like(root: Path, file: Path, entry: str) -> bool:
    return bool(set(file.relative_to(root).parent.parts) & set(entry.split("/")) - _SAYS_NOTHING)


def read_talconfig(root: Path, file: Path | None = None) -> tuple[Talconfig | None, tuple[Problem, ...]]:
    """The talconfig of a repository, and what is wrong with it. None when there is nothing to go on with."""
    file = file or talconfig_of(root)
    folder = file.parent
    try:
        documents = yamlfile.load(file, shown(file, root))
        variables, closed = _environment(folder, root)
    except YamlInvalid as error:
        return None, (error.problem,)
    if not documents or not isinstance(documents[0].value, dict):
        return None, (Problem(shown(file, root), 0, "", "holds no cluster", "write what talhelper reads"),)
    reader = Placed(documents[0], variables, closed)
    reader.problems += yamlfile.duplicate_problems(documents[0])
    for document in documents[1:]:
        what = "a second document begins here, which is not read"
        reader.problems.append(Problem(document.name, document.spot.line, "", what, "keep one document"))
    nodes = _nodes(reader)
    talos_version, kubernetes_version = (_version(reader, *asked) for asked in _VERSIONS)
    check_fields(reader)
    check_talconfig(reader, folder, root)
    check_patches(reader, folder, root)
    endpoint = reader.text(("endpoint",), "write the API's URL, as in `endpoint: https://10.0.0.2:6443`")
    items = sequence(documents[0].value.get("nodes"))
    placed = [Addressed(n.name, n.control_plane, ("nodes", at), n.addresses, items[at]) for at, n in enumerate(nodes)]
    patches = all_patches(documents[0], root, folder)
    vip = check_addressing(reader, placed, endpoint, patches)
    check_networks(reader, placed, vip, patches)
    made = Talconfig(
        file=file,
        name=documents[0].name,
        cluster=_named(reader, ("clusterName",), grammar.CLUSTER, "write the cluster's name, as in `clusterName: kubernetes`"),
        endpoint=endpoint,
        vip=vip,
        talos_version=talos_version,
        kubernetes_version=kubernetes_version,
        nodes=nodes,
        secrets_bundle=next((folder / n for n in _BUNDLES if is_file(folder / n)), folder / _BUNDLES[0]),
        refused=refused_patches(documents[0], root, folder, talos_version),
        notes=tuple(reader.notes),
    )
    _together(reader, made)
    return made, tuple(dict.fromkeys(reader.problems))


def no_talconfig(root: Path) -> Talconfig:
    """What stands for the talconfig of a house that has none, for whoever only looks at its backups."""
    folder = root / "talos"
    return Talconfig(folder / "talconfig.yaml", "", "", "", "", "", "", (), folder / _BUNDLES[0])


_VERSIONS = (("talosVersion", "v1.13.9"), ("kubernetesVersion", "v1.36.3"))


def _version(reader: Placed, key: str, like: str) -> str:
    told = reader.text((key,), f"write the version, as in `{key}: {like}`")
    if told and not grammar.VERSION.fits(told):
        reader.wrong((key,), f"{grammar.quoted(told)} is not a version", f"write it as in {like}")
    return told


def _named(reader: Placed, where: Steps, kind: grammar.Grammar, missing: str) -> str:
    told = reader.text(where, missing)
    found = kind.wrong(told) if told else None
    if found is not None:
        reader.wrong(where, *found)
    return told


def _together(reader: Placed, made: Talconfig) -> None:
    """Versions that do not go together."""
    if not (grammar.VERSION.fits(made.talos_version) and grammar.VERSION.fits(made.kubernetes_version)):
        return
    found = kubernetes_wrong(made.talos_version, made.kubernetes_version)
    if found is not None:
        reader.wrong(("kubernetesVersion",), found, "take one of those")
    for index, node in enumerate(made.nodes):
        tag = _TAG.search(node.installer)
        if tag is not None and tag[1].removeprefix("v") != made.talos_version.removeprefix("v"):
            what = f"is of Talos {tag[1]}, and talosVersion says {made.talos_version}"
            reader.wrong(("nodes", index, "talosImageURL"), what, "leave the tag out: talhelper adds talosVersion")


def _environment(folder: Path, root: Path) -> tuple[dict[str, str], str]:
    """Variables of talenv.yaml, and the file of further ones that is encrypted, or has encrypted ones among them ("" for none):
    what those are stays unresolved."""
    closed = next((name for name in _CLOSED if is_file(folder / name)), "")
    for name in _ENVIRONMENTS:
        file = folder / name
        if is_file(file):
            documents = yamlfile.load(file, shown(file, root))
            for problem in yamlfile.duplicate_problems(documents[0]) if documents else ():  # talhelper refuses it
                raise YamlInvalid(problem)
            found = {key: documents[0].text((key,)) for key in mapping(documents[0].value)} if documents else {}
            plain = {key: text for key, text in found.items() if not text.startswith(_ENCRYPTED)}
            return plain, closed or (name if len(plain) < len(found) else "")
    return {}, closed


def _nodes(reader: Placed) -> tuple[TalosNode, ...]:
    value = reader.document.value.get("nodes")
    if not isinstance(value, list) or not value:
        reader.wrong(("nodes",), "is empty", "list at least one node")
        return ()
    if len(value) > _MOST_NODES:
        reader.wrong(("nodes",), f"has more than {_MOST_NODES} nodes", "list those of one house")
        return ()
    nodes = []
    for index, item in enumerate(value):
        where: Steps = ("nodes", index)
        body = mapping(item)
        addresses = node_addresses(reader, where)
        install_disk, of_no_vm = _install_disk(reader, where, body)
        control_plane, installer = _is_control_plane(reader, where, body), _installer(reader, where)
        nodes.append(
            TalosNode(
                name=_named(reader, (*where, "hostname"), grammar.HOSTNAME, "write the node's name, as in `hostname: cp-1`"),
                address=next(iter(addresses), ""),
                mac=_mac(reader, where, body),
                control_plane=control_plane,
                install_disk=install_disk,
                line=reader.document.line(where),
                installer=installer,
                schematic=schematic_of(reader.document.value, body, installer, control_plane=control_plane),
                of_no_vm=of_no_vm,
                addresses=addresses,
                disk_count=max((ord(letter) - ord("a") + 1 for letter in _DISK.findall(str(body))), default=1),
            )
        )
    _twice(reader, nodes)
    if not any(node.control_plane for node in nodes):
        reader.wrong(("nodes",), "no node is a control plane", "set `controlPlane: true` on at least one")
    return tuple(nodes)


def _is_control_plane(reader: Placed, where: Steps, body: Mapping[str, Any]) -> bool:
    value = body.get("controlPlane", False)
    if not isinstance(value, bool):
        reader.wrong((*where, "controlPlane"), f"is {kind_of(value)}, not true or false", "write `controlPlane: true` or false")
    return value is True


def _install_disk(reader: Placed, where: Steps, body: Mapping[str, Any]) -> tuple[str, Problem | None]:
    """(the disk that Talos is installed to, why it is none of a VM that is made here)."""
    of_no_vm = None
    selected = body.get("installDiskSelector")
    missing = "write where Talos is installed to, as in `installDisk: /dev/sda`"
    named = reader.text((*where, "installDisk"), "" if selected else missing)
    if not named and selected:
        line = reader.document.line((*where, "installDiskSelector"))
        what = "installDiskSelector is not followed: the first disk is taken for the one that Talos is installed to"
        reader.notes.append(Problem(reader.document.name, line, "", what, "write installDisk, or look whether it is so"))
    if named and _INSTALLED.fullmatch(named) is None:
        better = "the VM's disks are SCSI or virtio disks: write /dev/sda or /dev/vda, or a path below /dev/disk/by-id"
        what = f"{grammar.quoted(named)} is no disk of a VM that is made here"
        place: Steps = (*where, "installDisk")
        of_no_vm = Problem(reader.document.name, reader.document.line(place), dotted(place), what, better)
    for key in ("userVolumes", "machineDisks"):
        for index, volume in enumerate(sequence(body.get(key))):
            used = re.search(rf"{re.escape(named or '/dev/sda')}(?![a-z0-9])", str(volume))
            if used:
                what = f"is on {used[0]}, where Talos is installed to"
                reader.wrong((*where, key, index), what, "name another disk, or correct installDisk")
    return named or "/dev/sda", of_no_vm


def _installer(reader: Placed, where: Steps) -> str:
    told = reader.text((*where, "talosImageURL"))
    if told and (_INSTALLER.fullmatch(told) is None or ".." in told or "//" in told):
        what = f"{grammar.quoted(told)} is no image's name"
        reader.wrong((*where, "talosImageURL"), what, "write it as in factory.talos.dev/installer/SCHEMATIC")
    return told


def _twice(reader: Placed, nodes: list[TalosNode]) -> None:
    for field, attribute in (("hostname", "name"), ("networkInterfaces", "mac")):
        seen: dict[str, str] = {}
        for index, node in enumerate(nodes):
            value = getattr(node, attribute)
            if value and value in seen:
                noun = {"name": "name", "mac": "MAC"}[attribute]
                reader.wrong(("nodes", index, field), f"{noun} {value} is also that of {seen[value]}", "give each node its own")
            elif value:
                seen[value] = node.name


def _mac(reader: Placed, where: Steps, body: Mapping[str, Any]) -> str:
    for place, selector in _selectors(body):
        for key in ("hardwareAddr", "permanentAddr"):
            hardware = selector.get(key)
            if isinstance(hardware, str) and "*" not in hardware:
                try:
                    return grammar.mac_of(substitute(hardware, reader.variables).text)
                except ValueError as error:
                    what, _, better = str(error).partition("; ")
                    reader.wrong((*where, *place, key), what, better)
                    return hardware
    return ""


def _selectors(body: Mapping[str, Any]) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
    """What chooses a node's cards, in order: by themselves, and as parts of a bond."""
    for index, interface in enumerate(sequence(body.get("networkInterfaces"))):
        place: Steps = ("networkInterfaces", index)
        yield (*place, "deviceSelector"), mapping(mapping(interface).get("deviceSelector"))
        parts = sequence(mapping(mapping(interface).get("bond")).get("deviceSelectors"))
        yield from (((*place, "bond", "deviceSelectors", at), mapping(one)) for at, one in enumerate(parts))
