"""Rules that hold across files: every node of talconfig.yaml has its place, no id is used twice, Flux can be told apart.

Works on the settings as written, so that these problems are told together with those of single values. Asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.text.words import number
from house.files.grammar import HOSTNAME, branch_wrong
from house.files.problems import Problem, Steps, dotted, nearest, nearest_or_all
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.flux.sources import address
from house.model import DiskFate, House, Node
from house.repository.guarding import short
from house.repository.remotes import remotes
from house.repository.talconfigs.talconfig import Talconfig, TalosNode
from house.repository.whole import Repository
from house.settings.machine_rules import machine_problems
from house.settings.values import FILL_IN, git_url_of, size_of

_SHARED = ("cores", "memory", "bridge", "disks")
_EXAMPLES = {"cores": "4", "memory": "8GiB", "bridge": "vmbr0", "disks": "[{size: 20GiB}]"}
_MANY_CORES = 64
_LITTLE_MEMORY = 2 * 2**30
_LEAST_SYSTEM, _USUAL_SYSTEM = 6 * 2**30, 10 * 2**30
_DEV = re.compile(r"/dev/(sd|vd)([a-z])")
_BUSES = {"sd": "scsi", "vd": "virtio"}
_OF_FACTORY = re.compile(r"/image/([0-9a-f]{8,64})/")
_SLOT = re.compile(r"([a-z]+)([0-9]+)")


def cross_problems(document: Document, repository: Repository) -> tuple[Problem, ...]:
    """Everything wrong between blackstart.yaml and the repository."""
    found = [*_nodes(document, repository), *_git(document, repository), *_recipient(document, repository)]
    told = [Problem(document.name, document.line(where), dotted(where), what, better) for where, what, better in found]
    return (*told, *_of_no_vm(document, repository))


def _of_no_vm(document: Document, repository: Repository) -> Iterator[Problem]:
    """What talconfig says of nodes that can be no VM, but for those that are said to be of metal."""
    nodes = mapping(mapping(document.value).get("nodes"))
    for node in repository.talconfig.nodes if repository.talconfig is not None else ():
        if node.of_no_vm is not None and mapping(nodes.get(node.name)).get("metal") is not True:
            better = f"{node.of_no_vm.better}; a machine that is no VM: `metal: true` in nodes.{node.name}"
            yield replace(node.of_no_vm, better=better)


_Wrong = tuple[Steps, str, str]


def _nodes(document: Document, repository: Repository) -> Iterator[_Wrong]:
    settings = mapping(document.value)
    nodes, defaults = mapping(settings.get("nodes")), mapping(settings.get("node_defaults"))
    hosts = [str(host) for host in sequence(mapping(settings.get("proxmox")).get("hosts"))]
    talconfig = repository.talconfig
    if talconfig is not None and talconfig.nodes:
        yield from _coverage(nodes, talconfig)
    if nodes and all(mapping(node).get("metal") is True for node in nodes.values()):
        yield ("nodes",), "are all of metal", "a run makes VMs on Proxmox: without one there is nothing that it could bring back"
    ids: dict[int, str] = {}
    macs: dict[str, str] = {n.mac: n.name for n in talconfig.nodes if n.mac} if talconfig is not None else {}
    for name, value in nodes.items():
        if not isinstance(value, dict):
            continue
        node = mapping(value)
        if node.get("metal") is True:
            yield from _mac(name, node, _declared(name, talconfig), macs)
            continue
        yield from _placed(name, node, mapping(settings.get("image")))
        vm_id, host = node.get("vm_id"), node.get("host")
        if isinstance(vm_id, int) and vm_id in ids:
            yield ("nodes", name, "vm_id"), f"VM id {vm_id} is also that of {ids[vm_id]}", "give each node its own"
        elif isinstance(vm_id, int):
            ids[vm_id] = name
        if hosts and isinstance(host, str) and host not in hosts and FILL_IN not in host:
            yield ("nodes", name, "host"), f"{host} is not among proxmox.hosts", nearest_or_all(host, hosts)
        yield from _merged(name, node, defaults)
        yield from _hardware(name, node, defaults, talconfig, macs)


def _placed(name: str, node: dict[str, Any], common: dict[str, Any]) -> Iterator[_Wrong]:
    """Where its VM is, and where the image is put that it alone is made of."""
    for key, said in (("host", "the Proxmox host it runs on, as in `host: pve-1`"), ("vm_id", "the VM's id, as in `vm_id: 8001`")):
        if node.get(key) is None:
            yield ("nodes", name, key), "is missing", f"write {said}; or `metal: true` for a machine that is no VM"
    own = mapping(node.get("image"))
    if own and not (own.get("volume") or own.get("storage") or common.get("storage")):
        better = "name the Proxmox storage with content type import, as in `storage: local`"
        yield ("nodes", name, "image", "storage"), "is missing, and in image too", better


def _coverage(nodes: dict[str, Any], talconfig: Talconfig) -> Iterator[_Wrong]:
    known = [node.name for node in talconfig.nodes]
    if not all(map(HOSTNAME.fits, known)):  # told there; names that are none are no advice
        return
    meant: set[str] = set()
    for name in nodes:
        if name not in known:
            left = [k for k in known if k not in nodes] or known
            meant.add(nearest(name, left))
            yield ("nodes", name), f"is no node of {talconfig.name}", nearest_or_all(name, left)
    for node in talconfig.nodes:
        if node.name and node.name not in nodes and node.name not in meant:
            what = f"{node.name} of {talconfig.name}:{node.line} is missing"
            yield ("nodes",), what, f"say where it lives, as in `{node.name}: {{host: pve-1, vm_id: 8001}}`"


def _merged(name: str, node: dict[str, Any], defaults: dict[str, Any]) -> Iterator[_Wrong]:
    """What a node must have, from itself or from node_defaults."""
    for key in _SHARED:
        if node.get(key) is None and defaults.get(key) is None:
            yield ("nodes", name, key), "is missing, and in node_defaults too", f"write it in one, as in `{key}: {_EXAMPLES[key]}`"
    base: Steps = ("nodes", name) if node.get("disks") is not None else ("node_defaults",)
    slots: dict[str, int] = {}
    homeless: list[int] = []
    for index, value in enumerate(sequence(node.get("disks") or defaults.get("disks"))):
        disk = mapping(value)
        where: Steps = (*base, "disks", index)
        if disk and not (disk.get("storage") or node.get("storage") or defaults.get("storage")):
            homeless.append(index)
        slot = str(disk.get("slot") or f"scsi{index}")
        if slot in slots:
            yield (*where, "slot"), f"{slot} is also that of disk {slots[slot]}", "give each disk its own"
        elif later := [other for other in slots if _place(other)[0] == _place(slot)[0] and _place(other) > _place(slot)]:
            # Talos would take it for an earlier /dev/sd… than the list says, and be installed to the wrong one.
            what = f"{slot} comes before {later[0]} of disk {slots[later[0]]}, and Talos sees disks in the order of their slots"
            yield (*where, "slot"), what, "list the disks in that order"
        slots.setdefault(slot, index)
    if homeless:
        what = f"is missing for disk {homeless[0]}, and in node_defaults too"
        yield ("nodes", name, "storage"), what, "write it in one, as in `storage: local-lvm`"


def odd_nodes(document: Document, house: House) -> Iterator[Problem]:
    """Sizes and images that may be right in a strange house, and are worth a look."""
    for node in house.vms:
        told = [*_other_schematic(node, house.image_of(node).url)]
        if node.cores > _MANY_CORES:
            told.append(("cores", f"has {node.cores} cores", "look whether its Proxmox host has as many"))
        if node.memory < _LITTLE_MEMORY and not node.control_plane:
            told.append(("memory", "has less than 2GiB of memory", "Talos starts, and little else will"))
        if any(disk.system and disk.size < _USUAL_SYSTEM for disk in node.disks):
            told.append(("disks", "has a system disk of less than 10GiB", "Talos asks for 10GiB: images and logs lie there too"))
        for key, what, better in told:
            where: Steps = ("nodes", node.name, key)
            yield Problem(document.name, document.line(where), dotted(where), what, better)


def _other_schematic(node: Node, url: str) -> Iterator[tuple[str, str, str]]:
    """Its VM is made of another schematic than talconfig installs: what that has is lacking until somebody upgrades Talos."""
    found = _OF_FACTORY.search(url)
    if found is not None and node.schematic and not node.schematic.startswith(found[1]):
        what = f"is of schematic {found[1][:12]}…, and talconfig installs {node.schematic[:12]}…"
        yield "image", what, f"write `image: {{schematic: {node.schematic}}}`, or its extensions are not there when it starts"


def _place(slot: str) -> tuple[str, int]:
    found = _SLOT.fullmatch(slot)
    return (found[1], int(found[2])) if found else ("", 0)


def _hardware(
    name: str, node: dict[str, Any], defaults: dict[str, Any], talconfig: Talconfig | None, macs: dict[str, str]
) -> Iterator[_Wrong]:
    """What the VM must share with talconfig.yaml: its MAC, and a disk where Talos is installed to."""
    declared = _declared(name, talconfig)
    yield from _mac(name, node, declared, macs)
    if not node.get("mac") and declared is not None and not declared.mac:
        what = f"is missing, and no interface in talconfig.yaml:{declared.line} names a hardwareAddr"
        yield ("nodes", name, "mac"), what, "write it, as in `mac: bc:24:11:00:00:01`"
    disks = sequence(node.get("disks") or defaults.get("disks"))
    slots = [str(mapping(disk).get("slot") or f"scsi{index}") for index, disk in enumerate(disks)]
    system = system_disk(declared, slots) if declared is not None else 0
    if declared is not None and disks and system >= len(disks):
        what = f"has no disk that would be {declared.install_disk}, where Talos is installed to"
        bus = _BUSES[declared.install_disk[5:7]]
        on_it = any(_place(slot)[0] == bus for slot in slots)
        other = "list one disk more" if on_it else f"give it a slot, as in `slot: {bus}0`"
        yield ("nodes", name, "disks"), what, f"{other}, or correct installDisk"
    elif declared is not None and disks and declared.disk_count > len(disks):
        what = f"has {len(disks)} of the {number(declared.disk_count, 'disk')} that talconfig.yaml:{declared.line} names"
        yield ("nodes", name, "disks"), what, "list the others too"
    if declared is not None and declared.control_plane:
        memory = _size(node.get("memory") or defaults.get("memory"))
        if 2**30 <= memory < _LITTLE_MEMORY:
            where: Steps = ("nodes", name, "memory") if node.get("memory") else ("node_defaults", "memory")
            yield where, f"is less than {name}, a control plane, starts with", "give it at least 2GiB"
    yield from machine_problems(name, node, defaults, macs)
    if declared is not None and system < len(disks):
        yield from _system_disk(name, system, mapping(disks[system]), own="disks" in node)


def _declared(name: str, talconfig: Talconfig | None) -> TalosNode | None:
    return next((n for n in talconfig.nodes if n.name == name), None) if talconfig is not None else None


def _mac(name: str, node: dict[str, Any], declared: TalosNode | None, macs: dict[str, str]) -> Iterator[_Wrong]:
    """A MAC of the settings that is another one in talconfig, or another node's."""
    mac = str(node.get("mac") or "").lower().replace("-", ":")
    if not mac:
        return
    other = macs.get(mac, name)
    if declared is not None and declared.mac and declared.mac != mac:
        yield ("nodes", name, "mac"), f"differs from {declared.mac} in talconfig.yaml:{declared.line}", "leave it out here"
    elif other != name:
        yield ("nodes", name, "mac"), f"MAC {mac} is also that of {other}", "give each node its own"
    macs.setdefault(mac, name)


def _system_disk(name: str, index: int, disk: dict[str, Any], *, own: bool) -> Iterator[_Wrong]:
    base: Steps = ("nodes", name, "disks", index) if own else ("node_defaults", "disks", index)
    if disk.get("fate") == DiskFate.KEEP.value:
        what = f"is keep, and Talos of {name} is installed to this disk"
        yield (*base, "fate"), what, "write create, or correct installDisk in talconfig.yaml"
    if 0 < _size(disk.get("size")) < _LEAST_SYSTEM:
        yield (*base, "size"), f"is too little for Talos of {name}, which is installed to this disk", "give it at least 10GiB"


def _size(value: Any) -> int:
    """Bytes of a size, 0 for what is none: that is told elsewhere."""
    try:
        return size_of(value)
    except ValueError:
        return 0


def system_disk(node: TalosNode, slots: Sequence[str]) -> int:
    """Place among `slots` of the disk that Talos is installed to: /dev/sda is the first that is a SCSI disk, /dev/vda the first
    on virtio; a path by id counts as the first of all. As many as there are when none would be that disk."""
    found = _DEV.fullmatch(node.install_disk)
    if found is None:
        return 0
    others = set(_BUSES.values()) - {_BUSES[found[1]]}  # a slot that is none is told where it is read
    there = sorted((_place(slot), index) for index, slot in enumerate(slots) if _place(slot)[0] not in others)
    wanted = ord(found[2]) - ord("a")
    return there[wanted][1] if wanted < len(there) else len(slots)


def _git(document: Document, repository: Repository) -> Iterator[_Wrong]:
    git = mapping(mapping(document.value).get("git"))
    source = repository.source
    url, branch = git.get("url") or source.url, git.get("branch") or source.branch
    if not repository.releases:  # then it is the helmfile's problem: what Flux pulls is said by one of its releases
        return
    if not url:
        yield ("git", "url"), "is missing, and the repository does not say what Flux pulls", "write the URL that Flux pulls"
    if not git.get("url") and source.url and source.kind == "GitRepository":
        try:
            git_url_of(source.url)
        except ValueError as error:
            what, _, better = str(error).partition("; ")
            yield ("git", "url"), f"is what {source.declared_in} says, which {what}", better
    if not git.get("branch") and branch and (found := branch_wrong(str(branch))) is not None:
        yield ("git", "branch"), f"is what {source.declared_in} says: {found[0]}", found[1]
    known = remotes(repository.root) if source.kind == "GitRepository" else None
    if known and isinstance(url, str) and url and address(url) not in map(address, known):
        what = f"{url} is not a remote of the clone at {repository.root.name}, which has {', '.join(known)}"
        yield ("git", "url"), what, "correct it; where both are the same repository, `git remote add flux URL`"
    if not branch:
        yield ("git", "branch"), "is missing, and the repository does not say which", "write the branch, as in `branch: main`"
    if isinstance(url, str) and url.startswith("ssh:") and not git.get("deploy_key"):
        better = "give a reference, as in `deploy_key: file:~/.ssh/home-ops`"
        yield ("git", "deploy_key"), "is missing, and Flux pulls over ssh", better
    if not (source.path or repository.roads.follows or repository.roads.manifests):  # else what is there instead is told
        what = "leads to no home-ops repository: it has no kubernetes/flux/cluster and names no other path"
        yield ("house", "repository"), what, "point it to the right folder"


def _recipient(document: Document, repository: Repository) -> Iterator[_Wrong]:
    own = mapping(mapping(document.value).get("sops")).get("recipient")
    known = tuple(map(short, repository.age_recipients))
    if own is None and len(known) > 1:
        yield ("sops", "recipient"), f".sops.yaml names {number(len(known), 'recipient')}", f"write ours: one of {', '.join(known)}"
    if isinstance(own, str) and known and own not in repository.age_recipients and FILL_IN not in own:
        yield ("sops", "recipient"), "is not among the recipients of .sops.yaml", f"write one of {', '.join(known)}"
