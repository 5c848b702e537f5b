"""What Talos' own health check finds of a whole cluster: every member counts, whether it answers or not. Knows no protocol."""

from __future__ import annotations

from collections.abc import Sequence

from lab.world.machines.machine import Machine, Port
from lab.world.machines.machineconfig import ConfigRefused, MachineConfig, parse
from lab.world.machines.talos import TalosWorld


def first_problem(talos: TalosWorld, asked: Machine, listed: Sequence[str] = ()) -> str:
    """The first thing that is not well of the cluster that `asked` belongs to, "" for none. `listed`: these addresses alone.

    A machine without power is a member still: discovery remembers it, and so does etcd one that is gone altogether.
    """
    members: set[frozenset[int]] = set()
    cluster = _cluster(talos, asked)
    for machine in [m for m in talos.machines.values() if m.address in listed] if listed else cluster:
        if machine.port is not Port.SECURE:
            return f"{machine.address}: API not reachable"
        unhealthy = [name for name in sorted(machine.services) if not talos.service_healthy(machine, name)]
        if unhealthy:
            return f"{machine.address}: {unhealthy[0]} is not healthy"
        if machine.control_plane:
            members.add(frozenset(m.member_id for m in talos.etcd.members(machine)))
        if machine.stage != "running" or talos.unmet(machine):
            return f"{machine.address}: {machine.stage}, not ready"
    if len(members) > 1:
        return "etcd member lists differ"
    names = {config.hostname for machine in cluster if (config := _config(machine)) is not None and config.control_plane}
    gone = sorted(m.hostname for m in talos.etcd.members(asked) if m.hostname not in names) if members and not listed else []
    return f"etcd member {gone[0]} has no node" if gone else ""


def _cluster(talos: TalosWorld, asked: Machine) -> list[Machine]:
    """The machines whose configuration, running or on their disk, is of the same CA."""
    own = _config(asked)
    if own is None:
        return [asked]
    return [m for m in talos.machines.values() if (found := _config(m)) is not None and found.os_ca.crt == own.os_ca.crt]


def _config(machine: Machine) -> MachineConfig | None:
    """What it runs, or would run once it has power."""
    disk = machine.talos_disk
    if machine.config is not None or disk is None or not disk.config:
        return machine.config
    try:
        return parse(disk.config)
    except ConfigRefused:
        return None
