"""The sections `proxmox`, `node_defaults` and `nodes` of a first settings file, from talconfig and, where one was asked, a Proxmox.

Each mark says where a person finds what belongs there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from house.files.scalars import in_quotes, plain
from house.first.found import FoundProxmox, FoundVm
from house.first.hardware import lines
from house.model import DiskFate
from house.repository.talconfigs.talconfig import TalosNode
from house.rules.crossrules import system_disk
from house.settings.values import FILL_IN
from house.values.hardware import UNSAID

_OWN_TAGS = frozenset({"talos", "blackstart"})
Keys = dict[str, str]
"""Key of a node to its lines, without indentation."""


def proxmox_text(found: FoundProxmox | None) -> str:
    """The section `proxmox`."""
    head = "# The Proxmox API, endpoints tried in order; a ca_file in place of a fingerprint where a CA signed the certificate.\n"
    if found is None or not found.url:
        hosts = f"  hosts: [{', '.join(map(plain, found.hosts))}]  # as they were\n" if found is not None and found.hosts else ""
        return head + _PROXMOX.format(mark=FILL_IN) + hosts
    return head + _FOUND.format(
        url=found.url, fingerprint=found.fingerprint, token=found.token_id, hosts=", ".join(map(plain, found.hosts))
    )


def usual_schematic(nodes: tuple[TalosNode, ...]) -> str:
    """The schematic that most VMs are installed from, the first of those that are equally many; "" where talconfig tells none."""
    told = Counter(node.schematic for node in nodes if node.schematic and node.of_no_vm is None)
    return max(told, key=lambda one: told[one], default="")


def nodes_text(nodes: tuple[TalosNode, ...], found: FoundProxmox | None, file: str = "talos/talconfig.yaml") -> str:
    """The sections `node_defaults` and `nodes`; `file` is the talconfig, "" where there is none."""
    vms = {node.name: found.vms[node.mac] for node in nodes if found is not None and node.mac in found.vms}
    own = {node.name: _keys(node, vms[node.name]) for node in nodes if node.name in vms}
    shared = _shared(own) if own else {}
    text = ["# What the nodes' VMs have in common; every key may also stand on a node."]
    text += ["node_defaults:", *(f"  {line}" for line in _defaults(nodes, shared, asked=bool(own)))]
    if not nodes:
        what = f"{file} names no node that can be read." if file else "No talconfig.yaml is here, which a bootstrap makes nodes of."
        return "\n".join([*text, "", f"# {what} An audit needs none.", "nodes: {}"]) + "\n"
    text += ["", f"# Where each node of {file} lives; `metal: true` for a machine that is no VM.", "nodes:"]
    usual = usual_schematic(nodes)
    for node in nodes:
        role = "control plane" if node.control_plane else "worker"
        text.append(f"  {plain(node.name)}:  # {role}, {node.address}, {node.mac or 'no MAC in talconfig.yaml'}")
        if node.name in vms:
            text += [f"    {line}" for line in _found_node(vms[node.name], own[node.name], shared, found)]
        elif node.of_no_vm is not None:
            text.append(f"    metal: true  # (usual): {node.of_no_vm.what}")
            continue
        else:
            text += [f"    {line}" for line in _marked_node(node, found)]
            text += [f"    {line}" for key, line in _UNKNOWN.items() if own and key not in shared]
        if node.schematic and node.schematic != usual:
            text.append(f"    image: {{schematic: {in_quotes(node.schematic)}}}  # another one than most, as talconfig installs it")
    return "\n".join(text) + "\n"


def _keys(node: TalosNode, vm: FoundVm) -> Keys:
    first = vm.disks[0].storage if vm.disks else ""
    found = {"bridge": f"bridge: {plain(vm.bridge)}", "cores": f"cores: {vm.cores}", "memory": f"memory: {_size(vm.memory)}"}
    found["disks"] = "\n".join(["disks:", *_disks(node, vm)]) if vm.disks else _UNKNOWN["disks"]
    for line in lines(vm.hardware, UNSAID, own_tags=_OWN_TAGS, first_storage=first):
        found[line.partition(":")[0]] = line
    return found


def _disks(node: TalosNode, vm: FoundVm) -> Iterator[str]:
    system = system_disk(node, [disk.slot for disk in vm.disks])
    for place, disk in enumerate(vm.disks):
        fate = DiskFate.CREATE if place == system else DiskFate.KEEP
        slot = "" if disk.slot == f"scsi{place}" else f"slot: {disk.slot}, "
        # Proxmox tells MiB; a settings file has whole GiB, and a data disk may be larger than said, never smaller.
        size = -(-disk.size >> 30) if place == system else max(1, disk.size >> 30)
        yield f"  - {{{slot}size: {size}GiB, storage: {plain(disk.storage)}, fate: {fate.value}}}"


def _shared(own: dict[str, Keys]) -> Keys:
    first, *others = own.values()
    return {key: line for key, line in first.items() if all(other.get(key) == line for other in others) and key != "cards"}


def _defaults(nodes: tuple[TalosNode, ...], shared: Keys, *, asked: bool) -> Iterator[str]:
    first = nodes[0].install_disk if nodes else "/dev/sda"
    fate = (
        f"# Disks as Talos sees them, in their order; it installs to {first}. fate says what a disk holds: keep (the default for",
        "# data disks): one that outlived its VM stops a run until you have decided; create (the default for the system disk):",
        "# a new one is made beside it. No disk that exists is ever changed.",
    )
    if asked:
        yield from fate
        yield from (part for line in shared.values() for part in line.split("\n"))
        if not shared:
            yield "bridge: vmbr0  # (usual)"
        return
    yield f"storage: {FILL_IN}  # where their disks lie: Datacenter > Storage, one with content Disk image, as local-lvm"
    yield "bridge: vmbr0  # (usual)"
    yield f"cores: {FILL_IN}  # a VM > Hardware > Processors, as 4"
    yield f"memory: {FILL_IN}  # a VM > Hardware > Memory, as 8GiB"
    yield from fate
    yield "disks:"
    yield f"  - size: {FILL_IN}  # a VM > Hardware > Hard Disk, as 20GiB"
    yield f"    fate: {DiskFate.CREATE.value}"
    for _ in range(1, max((node.disk_count for node in nodes), default=1)):
        yield f"  - size: {FILL_IN}  # a VM > Hardware > Hard Disk, as 50GiB"
        yield f"    fate: {DiskFate.KEEP.value}"


def _found_node(vm: FoundVm, own: Keys, shared: Keys, found: FoundProxmox | None) -> Iterator[str]:
    asked = found is not None and found.url
    if vm.gone and asked and found is not None and vm.host not in found.hosts:
        yield f"host: {FILL_IN}  # it was on {vm.host}; the host it is to run on: one of {', '.join(found.hosts)}"
    else:
        yield f"host: {plain(vm.host)}"
    if vm.gone and found is not None and vm.vm_id in found.taken:
        yield f"vm_id: {FILL_IN}  # it was VM {vm.vm_id}, which is another one now; one that is free, as {_free(found)}"
    else:
        yield f"vm_id: {vm.vm_id}  # {'as it was: ' if vm.gone else ''}VM {vm.name}"
    yield from (part for key, line in own.items() if key not in shared for part in line.split("\n"))
    yield from (f"# It has what no setting says, and a rebuild loses: {odd}" for odd in vm.odd)


def _marked_node(node: TalosNode, found: FoundProxmox | None) -> Iterator[str]:
    hosts = f": one of {', '.join(found.hosts)}" if found is not None else ", as pve-1: the name left in the web page's tree"
    unsure = _unsure(node, found) if found is not None else ""
    none = f"{unsure or f'no VM has {node.mac}, so one is made'}; " if found is not None else ""
    yield f"host: {FILL_IN}  # {none}the host it is to run on{hosts}"
    asked = found is not None and found.url
    told = f"one that is free, as {_free(found)}" if asked else "the number before its VM's name there, or one that is free"
    told = f"its VM's number, or {told}" if unsure else told
    yield f"vm_id: {FILL_IN}  # {told}"
    if not node.mac:
        yield f"mac: {FILL_IN}  # a VM > Hardware > Network Device, as bc:24:11:00:00:01"


def _free(found: FoundProxmox | None) -> int:
    """The first id that no VM has, nor had."""
    taken = (found.taken | {vm.vm_id for vm in found.vms.values()}) if found is not None else frozenset()
    return next(vm_id for vm_id in range(8000, 1_000_000) if vm_id not in taken)


def _unsure(node: TalosNode, found: FoundProxmox) -> str:
    """Why nobody can say that no VM is the node's, "" where none is."""
    if not node.mac:
        return "talconfig.yaml tells no MAC to find its VM by"
    if node.mac in found.twice:
        return f"{found.twice[node.mac]} have {node.mac}"
    if not found.unread:
        return ""
    more = f" and {len(found.unread) - 1} more" if len(found.unread) > 1 else ""
    return f"{found.unread[0]}{more} could not be read, and may have {node.mac}"


def _size(memory: int) -> str:
    return f"{memory >> 30}GiB" if memory % (1 << 30) == 0 else f"{memory >> 20}MiB"


_UNKNOWN = {
    "bridge": f"bridge: {FILL_IN}  # a VM > Hardware > Network Device, as vmbr0",
    "cores": f"cores: {FILL_IN}  # a VM > Hardware > Processors, as 4",
    "memory": f"memory: {FILL_IN}  # a VM > Hardware > Memory, as 8GiB",
    "disks": f"disks: [{{size: {FILL_IN}, storage: {FILL_IN}}}]  # a VM > Hardware > Hard Disk, as 20GiB and local-lvm",
}


_PROXMOX = """proxmox:
  endpoints:
    - url: {mark}  # the web page's address without what follows the port, as https://10.0.0.11:8006
      fingerprint: {mark}  # Datacenter > HOST > System > Certificates, the one of pveproxy or pve-ssl
  token:
    id: {mark}  # SECURITY.md has the commands that make one, as blackstart@pve!run
    secret: env:PROXMOX_TOKEN_SECRET  # (usual) where its secret is, shown once when it is made
"""

_FOUND = """proxmox:
  endpoints:
    - url: {url}
      fingerprint: {fingerprint}
  token:
    id: {token}
    secret: env:PROXMOX_TOKEN_SECRET  # (usual) where its secret is
  hosts: [{hosts}]
"""
