"""Proxmox's own notation (property strings, sizes, numbers that may be text) turned into our values. Knows no connection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.proxmox.hardware import MAC, beyond, hardware_of, is_drive
from adapters.proxmox.owner import token_in
from adapters.proxmox.properties import number, properties, tags, text
from adapters.proxmox.results import PowerState, Vm, VmDisk

_PCI = re.compile(r"hostpci\d+")
_NET = re.compile(r"net\d+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)(?:iB)?")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_NOTHING: Mapping[str, object] = {}
_POWER = {"running": PowerState.RUNNING, "stopped": PowerState.STOPPED}


def size_in_bytes(value: str) -> int:
    """Bytes of a PVE disk size such as `32G`, `4194304K`, `528K`; 0 when it says none."""
    match = _SIZE.fullmatch(value)
    return int(float(match[1]) * (1 << _UNITS[match[2]])) if match else 0


def _memory(value: object) -> int:
    """Bytes; PVE counts in MiB, and since 8 writes a property string with default key `current`."""
    return number(properties(text(value), "current").get("current", "512")) << 20


def _disks(config: Mapping[str, object]) -> tuple[VmDisk, ...]:
    disks = []
    for slot, value in config.items():
        if not is_drive(slot):
            continue
        parts = properties(text(value), "file")
        volume = parts.get("file", "")
        # A CD drive and the cloud-init drive are no disks: nothing of ours lives there.
        if parts.get("media") == "cdrom" or ":" not in volume:
            continue
        disks.append(VmDisk(slot, volume.partition(":")[0], volume, size_in_bytes(parts.get("size", ""))))
    return tuple(sorted(disks, key=lambda disk: (re.sub(r"\d", "", disk.slot), number(re.sub(r"\D", "", disk.slot)))))


def passed_through(config: Mapping[str, object]) -> tuple[str, ...]:
    """Devices of the host in a VM's configuration: disks by their path, PCI devices by address or mapping."""
    found = [(slot, properties(text(value), "file").get("file", "")) for slot, value in config.items() if is_drive(slot)]
    told = [f"{slot} {file}" for slot, file in found if file.startswith("/dev/")]
    return tuple(sorted((*told, *(f"{key} {text(value).split(',')[0]}" for key, value in config.items() if _PCI.fullmatch(key)))))


def vm(
    vm_id: int, host: str, row: Mapping[str, object], config: Mapping[str, object], resource: Mapping[str, object] = _NOTHING
) -> Vm:
    """A VM out of its row in the host's list (power state, lock), its configuration, and its row in the cluster's (pool, HA)."""
    nets = [properties(text(value), "model") for key, value in sorted(config.items()) if _NET.fullmatch(key)]
    macs = [value.lower() for net in nets for value in net.values() if MAC.fullmatch(value.lower())]
    return Vm(
        vm_id=vm_id,
        name=text(config.get("name") or row.get("name")),
        host=host,
        power=_POWER.get(text(row.get("status")), PowerState.OTHER),
        token=token_in(text(config.get("description"))),
        lock=text(config.get("lock") or row.get("lock")),
        cores=(number(config.get("cores")) or 1) * (number(config.get("sockets")) or 1),
        memory=_memory(config.get("memory")),
        macs=tuple(macs),
        bridges=tuple(net["bridge"] for net in nets if net.get("bridge")),
        disks=_disks(config),
        agent=properties(text(config.get("agent")), "enabled").get("enabled") in ("1", "on", "yes", "true"),
        tags=tags(config.get("tags")),
        digest=text(config.get("digest")),
        passed=passed_through(config),
        hardware=hardware_of(config, text(resource.get("pool"))),
        beyond=beyond(config),
        ha=text(resource.get("hastate")),
    )


def unreadable_vm(vm_id: int, host: str, row: Mapping[str, object]) -> Vm:
    """A VM whose host does not answer: what the cluster's list says of it, and no more."""
    return Vm(vm_id, text(row.get("name")), host, PowerState.OTHER, "", text(row.get("lock")), 0, 0, (), (), (), False,
              tags(row.get("tags")), "", readable=False)  # fmt: skip


def container(vm_id: int, host: str, row: Mapping[str, object]) -> Vm:
    """A container, as far as it matters here: it takes its id from the VMs' numbers, runs on its host, and is never ours."""
    power = _POWER.get(text(row.get("status")), PowerState.OTHER)
    return Vm(vm_id, f"{text(row.get('name'))} (a container)", host, power, "", text(row.get("lock")), 0, 0, (), (), (),
              False, tags(row.get("tags")), "", ha=text(row.get("hastate")))  # fmt: skip
