"""Joins the World's machines with the cluster of real programs: what happens to a machine happens to its etcd, API and kubelet.

The World decides when; the programs then tell how it is: etcd's members and health, and nodes' readiness, come from them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed
from lab.parts.plane.etcd import Etcd
from lab.parts.plane.pki import ClusterKeys, Pair
from lab.parts.pods.nodes import NodeSpec
from lab.running.sight import Sight
from lab.world.machines.etcd import EtcdStatus, MemberRecord
from lab.world.machines.machine import Machine, Refused
from lab.world.machines.machineconfig import KeyPair, MachineConfig
from lab.world.machines.talos import TalosWorld
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.vm import LabVm, PowerEvent

_CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


class Bridge:
    """Listens to the World's hooks and gives the cluster its orders: hooks must return at once."""

    def __init__(self, talos: TalosWorld, proxmox: LabProxmox, cluster: LabCluster) -> None:
        self._talos = talos
        self._proxmox = proxmox
        self._cluster = cluster
        # MAC → machine as the cluster knows it: those that are on, and those that have data. Touched by orders alone.
        self._on: dict[str, NodeSpec] = {}
        self._kept: dict[str, NodeSpec] = {}
        self._vms: dict[str, int] = {}  # MAC → the VM that was started last
        self._uploads: dict[str, tuple[bytes, bool]] = {}  # by MAC, until etcd begins
        self._sight = Sight(cluster, self._control_planes)
        talos.on_kubelet.append(self._kubelet)
        talos.on_down.append(self._down)
        talos.etcd.on_bootstrap.append(self._bootstrap)
        talos.etcd.on_join.append(self._start)
        talos.etcd.on_resume.append(self._start)
        talos.etcd.on_wipe.append(self._wiped)
        talos.etcd.on_remove.append(self._removed)
        talos.etcd.really_healthy = lambda machine: self._sight.etcd_healthy(machine.name)
        talos.etcd.really_members = self._members
        talos.etcd.really_status = self._status
        talos.etcd.really_recover = self._uploaded
        talos.etcd.really_snapshot = lambda machine: self._content(machine, Etcd.snapshot)
        talos.etcd.really_database = lambda machine: self._content(machine, Etcd.database)
        talos.not_ready = self._not_ready
        proxmox.on_power.append(self._power)

    def start(self) -> None:
        """Begin to look at the programs."""
        self._sight.start()

    def stop(self) -> None:
        """End the looks; to be called before the cluster goes down."""
        self._sight.stop()

    def etcd(self) -> dict[str, list[str]]:
        """Per control plane the members that its etcd lists, as `name id`; empty where it does not answer."""
        found = {name: self._sight.etcd_members(name) or () for name in self._control_planes()}
        return {name: [f"{m.name or m.peer} {m.id:x}" for m in members] for name, members in found.items()}

    # Hooks: called under the World's lock.

    def _kubelet(self, machine: Machine) -> None:
        # A control plane comes with its etcd: before that the cluster would let it join on its own.
        if not machine.control_plane:
            self._start(machine)

    def _start(self, machine: Machine) -> None:
        if machine.config is None:
            raise RuntimeError(f"{machine.name} starts without a configuration")
        vm = self._proxmox.vm_of_mac(machine.mac)
        if vm is None:
            raise RuntimeError(f"{machine.name} starts without a VM")
        spec = node_spec(machine, machine.config, vm.cores, vm.memory >> 20)
        keys, admission = cluster_keys(machine.config), admission_of(machine.config)
        self._cluster.order(lambda: self._node_up(machine.mac, spec, keys, admission))

    def _uploaded(self, machine: Machine, content: bytes, skip_hash: bool) -> None:
        self._uploads[machine.mac] = (content, skip_hash)

    def _bootstrap(self, machine: Machine) -> None:
        self._start(machine)
        name, (content, skip_hash) = machine.name, self._uploads.pop(machine.mac, (None, False))
        self._cluster.order(lambda: self._cluster.begin(name, content, skip_hash=skip_hash))

    def _down(self, machine: Machine) -> None:
        self._cluster.order(lambda: self._node_down(machine.mac))

    def _wiped(self, key: str) -> None:
        machine = next(m for m in self._talos.machines.values() if m.etcd_dir is not None and m.etcd_dir.key == key)
        self._cluster.order(lambda: self._destroy(machine.mac))

    def _removed(self, machine: Machine, member_id: int) -> None:
        name = machine.name
        self._cluster.order(lambda: self._cluster.control_plane(name).etcd.remove(member_id))

    def _power(self, vm: LabVm, event: PowerEvent) -> None:
        """What etcd has lies on the VM's disks: one that was made anew under a MAC has nothing of the one before it."""
        for mac in vm.macs:
            before = self._vms.get(mac, vm.vm_id)
            if event is PowerEvent.STARTED:
                self._vms[mac] = vm.vm_id
            if (event is PowerEvent.STARTED and before != vm.vm_id) or (event is PowerEvent.DESTROYED and before == vm.vm_id):
                self._cluster.order(partial(self._destroy, mac))

    # Orders: done one after the other by the cluster's own thread.

    def _node_up(self, mac: str, spec: NodeSpec, keys: ClusterKeys, admission: Sequence[Mapping[str, Any]]) -> None:
        if mac not in self._on:
            self._cluster.node_up(spec, keys, admission)
            self._on[mac] = self._kept[mac] = spec

    def _node_down(self, mac: str) -> None:
        spec = self._on.pop(mac, None)
        if spec is not None:
            self._cluster.node_down(spec.name)

    def _destroy(self, mac: str) -> None:
        self._on.pop(mac, None)
        spec = self._kept.pop(mac, None)
        if spec is not None:
            self._cluster.destroy(spec.name)

    # What the programs say; read from what was seen last, never waited for.

    def _control_planes(self) -> list[str]:
        return [spec.name for spec in list(self._on.values()) if spec.control_plane]

    def _members(self, machine: Machine) -> Sequence[MemberRecord]:
        members = self._sight.etcd_members(machine.name)
        if members is None:
            raise Refused("Unavailable", "etcdserver: request timed out")
        return [MemberRecord(m.id, m.name, m.peer, m.peer.replace(":2380", ":2379"), m.learner) for m in members]

    def _status(self, machine: Machine) -> EtcdStatus:
        try:
            told = self._cluster.control_plane(machine.name).etcd.status()
        except (PartFailed, OSError) as no:
            raise Refused("Unavailable", f"etcdserver: {no}") from no
        header = told.get("header") or {}
        return EtcdStatus(
            int(header.get("member_id", 0)), int(told.get("leader", 0)), bool(told.get("isLearner")), str(told.get("version", "")),
            str(told.get("storageVersion", "")), int(told.get("dbSize", 0)), int(told.get("dbSizeInUse", 0)),
            int(told.get("raftIndex", 0)), int(told.get("raftTerm", 0)), int(told.get("raftAppliedIndex", 0)),
            tuple(str(each) for each in told.get("errors") or ()),
        )  # fmt: skip

    def _content(self, machine: Machine, tell: Callable[[Etcd], bytes]) -> bytes:
        try:
            return tell(self._cluster.control_plane(machine.name).etcd)
        except (PartFailed, OSError) as no:
            raise Refused("Unavailable", f"etcdserver: {no}") from no

    def _not_ready(self, machine: Machine) -> Sequence[tuple[str, str]]:
        reason = self._sight.node_reason(machine.name)
        return (("nodeReady", reason),) if reason else ()


def node_spec(machine: Machine, config: MachineConfig, cores: int, memory_mib: int) -> NodeSpec:
    """The kubelet that a configuration asks for, on a VM of so many cores and so much memory."""
    cluster = config.document.get("cluster") or {}
    kubelet = (config.document.get("machine") or {}).get("kubelet") or {}
    version = str(kubelet.get("image", "")).rpartition(":")[2] or "v1.36.3"
    alone = config.control_plane and not cluster.get("allowSchedulingOnControlPlanes")
    taints = (_CONTROL_PLANE_TAINT,) if alone else ()
    return NodeSpec(machine.name, machine.address, config.control_plane, version, cores, memory_mib, taints=taints)


def admission_of(config: MachineConfig) -> tuple[Mapping[str, Any], ...]:
    """What a configuration says of its API server's admission plugins: PodSecurity's defaults, as a rule."""
    said = (config.document.get("cluster") or {}).get("apiServer") or {}
    return tuple(each for each in said.get("admissionControl") or () if isinstance(each, Mapping))


def cluster_keys(config: MachineConfig) -> ClusterKeys:
    """The authorities that stand in a configuration (a worker's have no keys)."""
    cluster = config.document.get("cluster") or {}
    aggregator = cluster.get("aggregatorCA") or {}
    account = (cluster.get("serviceAccount") or {}).get("key", "")
    return ClusterKeys(
        etcd=_pair(config.etcd_ca),
        kubernetes=_pair(config.k8s_ca),
        aggregator=Pair(_decoded(aggregator.get("crt", "")), _decoded(aggregator.get("key", ""))),
        service_account=_decoded(account),
        secretbox=str(cluster.get("secretboxEncryptionSecret") or ""),
    )


def _pair(found: KeyPair) -> Pair:
    return Pair(found.crt.encode(), found.key.encode())


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)
