"""The resources that one Talos machine shows. Knows no call."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.wire.talos.kinds import KINDS, Kind
from lab.wire.talos.pb import talos_pb2 as pb
from lab.world.machines.machine import Machine, Port, Refused
from lab.world.machines.talos import TalosWorld

STAGES = (
    "unknown",
    "booting",
    "installing",
    "maintenance",
    "running",
    "rebooting",
    "shutting down",
    "resetting",
    "upgrading",
)
_ENABLED = b"\x08\x01"
"""The first field of a controller manager's and a scheduler's configuration, set."""
_STATIC_PODS = {
    "APIServerConfig": ("apiServer", "kube-apiserver"),
    "ControllerManagerConfig": ("controllerManager", "kube-controller-manager"),
    "SchedulerConfig": ("scheduler", "kube-scheduler"),
}
"""What configures a static pod: where it stands in the machineconfig, and the pod's name."""
_CNI_NAME = 21
"""The field of a BootstrapManifestsConfig that says which network Talos itself starts."""


@dataclass(frozen=True)
class Res:
    """One resource: `spec` is what is printed, `proto` what talosctl decodes (only few types are decoded)."""

    kind: Kind
    name: str
    spec: Any
    proto: bytes = b""
    version: int = 1
    annotations: dict[str, str] = field(default_factory=dict)

    def message(self, at: float) -> pb.Resource:
        """As it goes on the wire; JSON is YAML. `at`: seconds since the epoch."""
        metadata = pb.ResourceMetadata(
            namespace=self.kind.namespace,
            type=self.kind.type,
            id=self.name,
            version=str(self.version),
            phase="running",
            annotations=self.annotations,
        )
        metadata.created.FromSeconds(int(at))
        metadata.updated.FromSeconds(int(at))
        return pb.Resource(
            metadata=metadata, spec=pb.ResourceSpec(proto_spec=self.proto, yaml_spec=json.dumps(self.spec))
        )


def resources(talos: TalosWorld, machine: Machine, kind: Kind) -> tuple[Res, ...]:
    """All resources of one type that the machine has now."""
    found = _MAKERS.get(kind.display)
    return tuple(found(talos, machine, kind)) if found is not None else ()


def _definitions(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    for other in KINDS:
        spec = pb.ResourceDefinitionSpec(
            resource_type=other.type,
            display_type=other.display,
            default_namespace=other.namespace,
            aliases=other.aliases,
            all_aliases=other.all_aliases,
            print_columns=[pb.PrintColumn(name=name, json_path=path) for name, path in other.columns],
            sensitivity=1 if other.sensitive else 0,
        )
        yield Res(kind, other.type.lower(), {"type": other.type}, spec.SerializeToString())


def _status(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    unmet = talos.unmet(machine)
    ready = machine.stage in ("running", "maintenance") and not unmet
    conditions = [{"name": name, "reason": reason} for name, reason in unmet]
    proto = pb.MachineStatusSpec(stage=STAGES.index(machine.stage or "unknown"), status=readiness(talos, machine))
    spec = {"stage": machine.stage, "status": {"ready": ready, "unmetConditions": conditions}}
    yield Res(kind, "machine", spec, proto.SerializeToString(), version=len(talos.world.happenings) + 1)


def readiness(talos: TalosWorld, machine: Machine) -> pb.MachineReadiness:
    """Ready or not, and why not, as events and resources carry it."""
    unmet = talos.unmet(machine)
    conditions = [pb.UnmetCondition(name=name, reason=reason) for name, reason in unmet]
    ready = machine.stage in ("running", "maintenance") and not unmet
    return pb.MachineReadiness(ready=ready, unmet_conditions=conditions)


def _config(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    disk = machine.talos_disk
    running, kept = machine.config.text if machine.config is not None else "", disk.config if disk is not None else ""
    for name, text in (("v1alpha1", running), ("persistent", kept)):
        if text:
            yield Res(kind, name, text, _field(1, text.encode()), annotations={"talos.dev/yaml-spec": ""})


def _disks(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    for disk in machine.disks:
        spec = {
            "dev_path": disk.device,
            "size": disk.size,
            "pretty_size": f"{disk.size / 1e9:.0f} GB",
            "readonly": False,
            "cdrom": False,
            "model": "QEMU HARDDISK",
            "transport": "virtio",
            "rotational": True,
        }
        yield Res(kind, disk.device.removeprefix("/dev/"), spec)


def _system_disk(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    disk = machine.system_disk
    if disk is not None:
        yield Res(kind, "system-disk", {"diskID": disk.device.removeprefix("/dev/"), "devPath": disk.device})


def _version(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    yield Res(kind, "version", {"name": "Talos", "version": talos.version_of(machine)})


def _hostname(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    yield Res(kind, "hostname", {"hostname": machine.name, "domainname": ""})


def _services(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    for name, service in sorted(machine.services.items()):
        if service.state == "Running":
            yield Res(kind, name, {"running": True, "healthy": talos.service_healthy(machine, name), "unknown": False})


def _etcd_member(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    """The id that etcd's own list has for it, while etcd gives that list."""
    try:
        listed = talos.etcd.members(machine)
    except Refused:
        return
    for one in listed:
        if one.hostname == machine.name:
            yield Res(kind, "local", {"memberID": f"{one.member_id:016x}"})


def _nodename(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    if machine.config is not None:
        proto = pb.NodenameSpec(nodename=machine.name).SerializeToString()
        yield Res(kind, "nodename", {"nodename": machine.name}, proto)


def _volumes(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    disk = machine.system_disk
    if disk is not None and machine.config is not None:
        proto = pb.VolumeStatusSpec(size=disk.size).SerializeToString()
        yield Res(kind, "EPHEMERAL", {"phase": "ready", "size": disk.size}, proto)


def _members(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    """What discovery tells: the configured machines of the same Talos CA."""
    own = machine.config
    for other in sorted(talos.machines.values(), key=lambda m: m.address):
        config = other.config
        if own is None or config is None or other.port is not Port.SECURE or config.os_ca.crt != own.os_ca.crt:
            continue
        spec: dict[str, Any] = {
            "nodeId": other.mac,
            "addresses": [other.address],
            "hostname": other.name,
            "machineType": "controlplane" if config.control_plane else "worker",
            "operatingSystem": f"Talos ({talos.version_of(machine)})",
        }
        proto = pb.MemberSpec(
            node_id=other.mac,
            addresses=[pb.NetIp(ip=ipaddress.ip_address(other.address).packed)],
            hostname=other.name,
            machine_type=2 if config.control_plane else 3,
            operating_system=spec["operatingSystem"],
        )
        if config.control_plane:
            spec["controlPlane"] = {"port": 6443}
            proto.control_plane.api_server_port = 6443
        yield Res(kind, other.name, spec, proto.SerializeToString())


def _bootstrap_manifests(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    """What Talos would put into a new cluster; whoever asks is after the network that it leaves to others."""
    if machine.control_plane and machine.config is not None:
        network = (machine.config.document.get("cluster") or {}).get("network") or {}
        name = str((network.get("cni") or {}).get("name") or "flannel")
        yield Res(kind, "manifests", {"cniName": name, "flannelEnabled": name == "flannel"}, _field(_CNI_NAME, name.encode()))


def _addresses(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    for link, address in (("lo", "127.0.0.1/8"), ("eth0", f"{machine.address}/24")):
        yield Res(kind, f"{link}/{address}", {"address": address, "linkName": link})


def _kubelet(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    if machine.config is not None:
        image = str(((machine.config.document.get("machine") or {}).get("kubelet") or {}).get("image", ""))
        yield Res(kind, "kubelet", {"image": image}, _field(1, image.encode()))


def _static_pod_config(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    """What a control plane runs one of its static pods with, of which the lab knows the image."""
    if machine.control_plane and machine.config is not None:
        key, name = _STATIC_PODS[kind.display]
        image = str(((machine.config.document.get("cluster") or {}).get(key) or {}).get("image", ""))
        if key == "apiServer":
            yield Res(kind, name, {"image": image}, _field(1, image.encode()))
        else:
            yield Res(kind, name, {"enabled": True, "image": image}, _ENABLED + _field(2, image.encode()))


def _field(number: int, content: bytes) -> bytes:
    """One field of bytes or text, as protobuf writes it."""
    return b"".join((_varint(number << 3 | 2), _varint(len(content)), content))


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _static_pods(talos: TalosWorld, machine: Machine, kind: Kind) -> Iterator[Res]:
    if machine.control_plane and talos.etcd.healthy(machine):
        for _, name in _STATIC_PODS.values():
            yield Res(kind, f"kube-system/{name}-{machine.name}", {"podStatus": {}})


_MAKERS = {
    "ResourceDefinition": _definitions,
    "MachineStatus": _status,
    "MachineConfig": _config,
    "Disk": _disks,
    "SystemDisk": _system_disk,
    "Version": _version,
    "HostnameStatus": _hostname,
    "Service": _services,
    "EtcdMember": _etcd_member,
    "Nodename": _nodename,
    "VolumeStatus": _volumes,
    "Member": _members,
    "StaticPodStatus": _static_pods,
    **dict.fromkeys(_STATIC_PODS, _static_pod_config),
    "BootstrapManifestsConfig": _bootstrap_manifests,
    "KubeletConfig": _kubelet,
    "AddressStatus": _addresses,
}
