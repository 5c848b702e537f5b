"""Settings that contradict themselves, the repository or the machine they are used on. Asks nobody.

Works on the settings as written, like house/rules/crossrules.py, so that these problems are told together with the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from house.files import grammar
from house.files.paths import is_folder, is_link, is_there
from house.files.problems import Problem, Steps, dotted, nearest
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.repository.talconfigs.talconfig import Talconfig
from house.repository.whole import Repository

_Wrong = tuple[Steps, str, str]
_SFTP = re.compile(r"sftp:(?://)?(?:[^/@]*@)?(?P<host>\[[^]]+\]|[^/:\[\]]+)")
_SYSTEM = ("/etc", "/usr", "/bin", "/sbin", "/boot", "/dev", "/proc", "/sys", "/lib", "/lib64")
_URL_VERSION = re.compile(r"(?:^|[/_-])v?([0-9]+\.[0-9]+\.[0-9]+(?:-[a-z]+\.?[0-9]+)?)(?=[/_.-]|$)")
_OTHER_MACHINE = re.compile(r"(?:^|[/_.-])(arm64|aarch64|armv7|arm|riscv64|ppc64le|s390x|386)(?=[/_.-]|$)")
_PLAIN_SECRETS: tuple[Steps, ...] = (
    ("sops", "age_key"), ("proxmox", "token", "secret"), ("git", "deploy_key"), ("backups", "password"),
)  # fmt: skip


def contradictions(document: Document, repository: Repository, folder: Path) -> tuple[Problem, ...]:
    """All of them; `folder` is the settings file's."""
    settings = mapping(document.value)
    found = [*_endpoints(settings, repository.talconfig), *_simulated(settings), *_state(settings, repository, folder)]
    found += [*_references(settings), *_image(settings, repository.talconfig), *_nas(settings)]
    found += [*_on_nodes(settings, repository.talconfig), *_sums(settings)]
    return tuple(Problem(document.name, document.line(where), dotted(where), what, better) for where, what, better in found)


def _servers(settings: dict[str, Any]) -> Iterator[tuple[int, str, str, int]]:
    """Place, URL, host and port of every Proxmox endpoint whose URL is one."""
    for index, endpoint in enumerate(sequence(mapping(settings.get("proxmox")).get("endpoints"))):
        url = mapping(endpoint).get("url")
        parts = grammar.url_parts(url) if isinstance(url, str) else None
        if parts is not None and parts.hostname:
            yield index, str(url), parts.hostname.rstrip("."), grammar.port_of(parts) or 443


def _nas(settings: dict[str, Any]) -> Iterator[_Wrong]:
    """One server that is two, and a VM that is a node's."""
    told_ids = {name: mapping(node).get("vm_id") for name, node in mapping(settings.get("nodes")).items()}
    nodes = {vm: name for name, vm in told_ids.items() if isinstance(vm, int)}  # what is no number is told as that
    seen: dict[str, str] = {}
    for name, section in mapping(settings.get("nas")).items():
        told = mapping(section)
        for key in ("url", "also"):
            for text in sequence(told.get(key)) if key == "also" else [told.get(key)]:
                parts = grammar.url_parts(text if "://" in text else f"wss://{text}") if isinstance(text, str) else None
                host = (parts.hostname or "").rstrip(".") if parts is not None else ""
                first = seen.setdefault(host, name) if host else name
                if first != name:
                    yield ("nas", name, key), f"{host} is {first} already", "name each NAS once"
        vm = told.get("vm")
        if isinstance(vm, int) and vm in nodes:
            yield ("nas", name, "vm"), f"is the VM of node {nodes[vm]}", "name the VM that the NAS runs in"


def _on_nodes(settings: dict[str, Any], talconfig: Talconfig | None) -> Iterator[_Wrong]:
    """Servers of their own, at an address that is a node's or the cluster's: a Talos node serves neither."""
    nodes = talconfig.nodes if talconfig is not None else ()
    taken = {grammar.address_of(text): f"of {node.name}" for node in nodes for text in node.addresses}
    if talconfig is not None and (vip := grammar.address_of(talconfig.vip)) is not None:
        taken.setdefault(vip, "that the control planes share")
    for where, host in (*_nas_hosts(settings), *_sftp_hosts(settings)):
        if (address := grammar.address_of(host)) is not None and address in taken:
            yield where, f"{host} is the address {taken[address]} in talconfig.yaml", "name the server's own"


def _sums(settings: dict[str, Any]) -> Iterator[_Wrong]:
    """Images of nodes that are one, and have two checksums: whichever is right, a run would stop at the other."""
    common = mapping(settings.get("image"))
    sources = [one for one in (common.get("url"), common.get("schematic")) if isinstance(one, str) and one]
    known = {source: ("the house", common.get("sha256")) for source in sources}
    for name, node in mapping(settings.get("nodes")).items():
        image = mapping(mapping(node).get("image"))
        source, own = image.get("url") or image.get("schematic"), image.get("sha256")
        if not isinstance(source, str) or not source:
            continue
        who, other = known.setdefault(source, (str(name), own))
        as_the_house = who == "the house" and own is None
        if not as_the_house and str(own).lower() != str(other).lower():
            what = f"is another than that of {who}, whose image is the same"
            yield ("nodes", name, "image", "sha256"), what, "write it at both, or at none"


def _nas_hosts(settings: dict[str, Any]) -> Iterator[tuple[Steps, str]]:
    for name, section in mapping(settings.get("nas")).items():
        url = mapping(section).get("url")
        parts = grammar.url_parts(url if "://" in url else f"wss://{url}") if isinstance(url, str) else None
        if parts is not None and parts.hostname:
            yield ("nas", name, "url"), parts.hostname


def _sftp_hosts(settings: dict[str, Any]) -> Iterator[tuple[Steps, str]]:
    backups = mapping(settings.get("backups"))
    rules = enumerate(sequence(backups.get("open_as")))
    places: list[tuple[Steps, Any]] = [(("backups", "open_as", index, "open"), mapping(rule).get("open")) for index, rule in rules]
    places += [
        (("backups", "claims", key, "repository"), mapping(claim).get("repository"))
        for key, claim in mapping(backups.get("claims")).items()
    ]
    for where, text in places:
        found = _SFTP.match(text) if isinstance(text, str) else None
        if found is not None:
            yield where, found["host"].strip("[]")


def _endpoints(settings: dict[str, Any], talconfig: Talconfig | None) -> Iterator[_Wrong]:
    seen: dict[tuple[object, int], int] = {}
    nodes = {grammar.address_of(text): node.name for node in (talconfig.nodes if talconfig else ()) for text in node.addresses}
    vip = grammar.address_of(talconfig.vip) if talconfig is not None else None
    for index, _, host, port in _servers(settings):
        where: Steps = ("proxmox", "endpoints", index, "url")
        address = grammar.address_of(host)
        first = seen.setdefault((address or host, port), index)
        if first != index:
            yield where, f"is also endpoint {first}", "name each Proxmox host once"
        elif address is not None and address in nodes:
            yield where, f"{host} is the address of {nodes[address]} in talconfig.yaml", "name a Proxmox host's own"
        elif address is not None and address == vip:
            yield where, f"{host} is the cluster's virtual address", "name a Proxmox host's own"
        elif address is not None and (why := grammar.unusable(address)):
            yield where, f"{host} {why}", "name a Proxmox host's own, as in https://10.0.0.11:8006"
    names: dict[str, int] = {}
    for index, name in enumerate(sequence(mapping(settings.get("proxmox")).get("hosts"))):
        first = names.setdefault(str(name).lower(), index)
        if first != index:
            yield ("proxmox", "hosts", index), f"{name} is in the list twice", "keep one of the two"


def _simulated(settings: dict[str, Any]) -> Iterator[_Wrong]:
    """A lab's servers are on loopback addresses, and on no others; 127.0.0.1 may be the near end of a tunnel to a real one."""
    house = mapping(settings.get("house"))
    said = house.get("simulated", False)
    if "simulated" not in house and nearest("simulated", house):  # a misspelt key, which is told as one
        return
    where: Steps = ("house", "simulated") if "simulated" in house else ("house",)
    for index, url, host, _ in _servers(settings):
        address = grammar.address_of(host)
        if address is None or not isinstance(said, bool):
            continue
        if said and not address.is_loopback:
            what = f"is a simulated house, and proxmox.endpoints[{index}] {url} is no lab's"
            yield where, what, "write `simulated: false`, or the lab's endpoint"
            return
        if not said and address.is_loopback and str(address) not in ("127.0.0.1", "::1"):
            what = f"is no simulated house, and proxmox.endpoints[{index}] {url} is a lab's"
            yield where, what, "write `simulated: true`, or the real endpoint"
            return


def _state(settings: dict[str, Any], repository: Repository, folder: Path) -> Iterator[_Wrong]:
    root = repository.root
    said = mapping(settings.get("house")).get("state")
    where: Steps = ("house", "state")
    if not isinstance(said, str) or not said or "\0" in said:
        return
    better = "name a folder of its own, as in `state: state/home-ops`"
    try:
        named = folder / Path(said).expanduser()
        state = named.resolve()
    except (RuntimeError, OSError):
        yield where, "leads nowhere", better
        return
    if any(is_link(part) and not is_there(part) for part in (named, *named.parents)):
        yield where, "is a link that leads nowhere", "mount what it leads to, or name another folder: what is remembered lies there"
    elif state == root or state in root.parents:
        yield where, "is the repository itself, or a folder that holds it", better
    elif ".git" in state.parts:
        yield where, "lies in Git's own folder", better
    elif over := next((one for one in _applied(repository) if state == one or one in state.parents), None):
        # A kustomization that lists nothing takes every file below it: machineconfigs, and all that the journal names.
        yield where, f"lies in {over.relative_to(root)}, which Flux applies", better
    elif any(state == Path(system) or Path(system) in state.parents for system in _SYSTEM):
        yield where, "lies in a folder of the system", better
    elif any(is_there(part) and not is_folder(part) for part in (state, *state.parents)):
        yield where, "is no folder", better


def _applied(repository: Repository) -> Iterator[Path]:
    """Folders that Flux is told to apply, but for one that is all of the repository: whatever is in it would be in that."""
    base = repository.root / repository.source.base
    paths = filter(None, (repository.source.path, *(app.path for app in repository.apps)))
    return (one for one in dict.fromkeys((base / path).resolve() for path in paths) if repository.root in one.parents)


def _references(settings: dict[str, Any]) -> Iterator[_Wrong]:
    """Two secrets that come from one place: one of them is another's."""
    seen: dict[str, Steps] = {}
    for where in _PLAIN_SECRETS:
        value: Any = settings
        for step in where:
            value = mapping(value).get(str(step))
        for source in value if isinstance(value, list) else [value]:
            if isinstance(source, str) and source:
                first = seen.setdefault(source, where)
                if first != where:
                    yield where, f"is the reference of {dotted(first)} too", "give each secret its own"


def _image(settings: dict[str, Any], talconfig: Talconfig | None) -> Iterator[_Wrong]:
    image = mapping(settings.get("image"))
    wanted = talconfig.talos_version if talconfig is not None else ""
    version, url = image.get("version"), image.get("url")
    better = "the image's Talos is what runs: make it talconfig.yaml's"
    if isinstance(version, str) and grammar.VERSION.fits(version) and wanted and not _same(version, wanted):
        yield ("image", "version"), f"is {version}, and talosVersion is {wanted}", better
    if isinstance(url, str):
        found = next((v for v in _URL_VERSION.findall(url.partition("://")[2].partition("/")[2])), "")
        if found and wanted and not _same(found, wanted):
            yield ("image", "url"), f"is of Talos v{found}, and talosVersion is {wanted}", better
        machine = _OTHER_MACHINE.search(url.partition("://")[2].partition("/")[2])
        if machine is not None:
            yield ("image", "url"), f"is an image for {machine[1]}", "the VMs are amd64: name nocloud-amd64"


def _same(one: str, other: str) -> bool:
    return one.removeprefix("v") == other.removeprefix("v")
