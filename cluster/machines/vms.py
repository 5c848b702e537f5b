"""Which VM is ours, and how to wait for a Proxmox task. Knows no API: it reads what the Proxmox port answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from adapters.context import ActContext, LookContext
from adapters.ports import Proxmox, ProxmoxView, TalosView
from adapters.proxmox.meanings import task_failure
from adapters.proxmox.results import PowerState, TaskRef, TaskStatus, Vm
from adapters.talos.results import Phase
from engine.errors import BlackstartError, PermanentError, StillChanging, TransientError, WaitedTooLong
from engine.probe import Probe, satisfied
from engine.step import WARNING_NOTE, Notes
from engine.text.words import number
from engine.waiting import Clock, wait_until
from house.model import House, Node

STARTS = frozenset({"qmstart", "hastart"})
"""Kinds of the tasks that start a VM."""


def find_vm(proxmox: ProxmoxView, house: House, node: Node) -> Vm | None:
    """The node's VM, known by owner token and id; None when the id is free and the token is nowhere, and for a machine of metal.

    Raises PermanentError when somebody else's VM has the id, or when our token is on another id or on two VMs: then a
    person has to say which is right, since every further act could hit the wrong machine.
    """
    if node.metal:
        return None
    token = house.owner_token(node)
    vms = proxmox.vms()
    blind = [vm for vm in vms if not vm.readable and (vm.vm_id == node.vm_id or vm.host == node.host)]
    if blind:
        raise TransientError(
            f"VM {blind[0].vm_id} on {blind[0].host} cannot be read, so it cannot be told from ours",
            hint="bring the host back, or, if it is gone for good, take it out of the Proxmox cluster",
        )
    ours = [vm for vm in vms if vm.token == token]
    at_id = next((vm for vm in vms if vm.vm_id == node.vm_id), None)
    if at_id is not None and at_id.token != token:
        raise PermanentError(
            f"VM {node.vm_id} on {at_id.host} is not ours, but {node.name} wants this id",
            evidence=(f"name {at_id.name}", f"owner token {at_id.token or 'none'}"),
            hint=f"give {node.name} another vm_id in {house.settings_file.name}, or, if this VM is the node, adopt it by "
            f"writing {token} as a line of its description",
        )
    if any(vm.vm_id != node.vm_id for vm in ours):
        raise PermanentError(
            f"the owner token of {node.name} is on another VM than {node.vm_id}",
            evidence=tuple(f"VM {vm.vm_id} {vm.name} on {vm.host}" for vm in ours),
            hint="a clone carries its origin's description: remove the token line from the VM that is not the node",
        )
    return at_id


def running_of(doors: LookContext | ActContext, house: House, nodes: Iterable[Node]) -> list[tuple[Node, Vm | None]]:
    """Those of these nodes that are on, or may be, each with its VM; a machine of metal is on where Talos answers."""
    found = [(node, find_vm(doors.proxmox, house, node)) for node in nodes]
    dark = {node.name for node in dark_metal(doors.talos, (node for node, _ in found))}
    return [
        (node, vm) for node, vm in found
        if (node.name not in dark if node.metal else vm is not None and vm.power is not PowerState.STOPPED)
    ]  # fmt: skip


def dark_metal(talos: TalosView, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The machines of metal among these at whose address no Talos answers: off, as far as anybody here can tell."""
    asked = tuple(node for node in nodes if node.metal)
    phases = talos.phases(tuple(node.address for node in asked))
    return tuple(node for node, phase in zip(asked, phases, strict=True) if phase is Phase.UNREACHABLE)


def all_off(nodes: Collection[Node]) -> str:
    """What a person is told once none of these is found on: of metal it is not known, for a cable may be out as well."""
    metal = ", ".join(node.name for node in nodes if node.metal)
    unseen = f"; of {metal}, of metal, nobody here knows more than that no Talos answers" if metal else ""
    return f"{number(len(nodes), 'node')} off{unseen}"


def where_it_runs(vm: Vm | None) -> str:
    """What a person is told of a node that is on."""
    return "a machine of metal, which only its own button starts again" if vm is None else f"VM {vm.vm_id} runs on {vm.host}"


def majority_off(proxmox: ProxmoxView, house: House) -> bool:
    """Whether so many control planes' VMs are off, or gone, that no API server can work. A Proxmox that is silent says no."""
    try:
        found = [find_vm(proxmox, house, node) for node in house.control_planes if not node.metal]
    except BlackstartError:
        return False
    # Of a machine of metal nobody knows here whether it is on: it counts as if it were.
    return sum(vm is None or vm.power is PowerState.STOPPED for vm in found) > len(house.control_planes) // 2


def unless_off(doors: LookContext | ActContext, house: House, look: Callable[[], Probe], told: str) -> Probe:
    """What `look` sees of the cluster. Where it is silent since its control planes are off, satisfied: `told` says what follows."""
    try:
        return look()
    except TransientError:
        if not majority_off(doors.proxmox, house):
            raise
        return satisfied(f"the control planes are off: {told}")


def await_task(proxmox: Proxmox, clock: Clock, notes: Notes, ref: TaskRef, limit_s: float) -> TaskStatus:
    """Note the task, then wait until it has ended OK. What it warned of is noted too, for a person to see.

    When it ended otherwise, raises TransientError where that may pass (somebody holds the VM's lock, quorum was lost in the
    middle of it), else PermanentError, its last log lines as evidence; StillChanging when it still runs after `limit_s` seconds:
    the act is in flight then. In each case only the next probe tells what it did: a task that failed is not one that did nothing.
    """
    notes.put("task", ref.upid)
    seen: list[TaskStatus] = []

    def ended() -> TaskStatus | None:
        seen[:] = [proxmox.task(ref)]
        return None if seen[0].running else seen[0]

    try:
        status = wait_until(clock, ended, limit_s=limit_s, what="the Proxmox task")
    except WaitedTooLong as error:
        raise StillChanging(
            f"Proxmox task still runs after {limit_s:.0f} s",
            evidence=(ref.upid, *seen[0].log_tail),
            hint="look at the task in the Proxmox web page; a later run attaches to it",
        ) from error
    if not status.ok:
        raise task_failure(status)
    if status.exit_status != "OK":
        warned = [line.removeprefix("WARN:").strip() for line in status.log_tail if line.startswith("WARN:")]
        notes.put(WARNING_NOTE, "; ".join(warned) or status.exit_status)
    return status


def require_quorum(proxmox: ProxmoxView) -> None:
    """Raise TransientError without quorum. To be called right before a change is sent.

    Proxmox does not refuse everything then: a grow grows the image and a delete destroys the disks, before either fails at the
    configuration.
    """
    cluster = proxmox.cluster()
    if not cluster.quorate:
        raise TransientError(
            "the Proxmox cluster has no quorum: nothing was sent",
            evidence=(f"online: {', '.join(cluster.online) or 'none'}", f"offline: {', '.join(cluster.offline) or 'none'}"),
            hint="bring hosts back until `pvecm status` says Quorate: Yes",
        )


def disk_sizes(proxmox: ProxmoxView, vm: Vm) -> dict[str, int]:
    """Slot → bytes, as the storages have the volumes; as the configuration says where a storage does not list one.

    The two differ where a grow broke off between the image and the configuration: Proxmox never brings them together by itself.
    """
    stored: dict[str, int] = {}
    for storage in dict.fromkeys(disk.storage for disk in vm.disks):
        with suppress(PermanentError):  # a storage of somebody else's, which our token may not look into
            stored |= {volume.volume: volume.size for volume in proxmox.left_disks(vm.host, storage, vm.vm_id)}
    return {disk.slot: stored.get(disk.volume) or disk.size for disk in vm.disks}
