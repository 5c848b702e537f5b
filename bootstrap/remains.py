"""What is left of a node that may be lost: its VM, its etcd member, its Node object; and whether it lives after all.

One look at everything, for the check that refuses and the step that gives it up. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kubernetes.results import KubeNode
from adapters.ports import ClusterView, ProxmoxView, TalosView
from adapters.proxmox.results import PowerState, Vm
from adapters.talos.results import EtcdMember, Phase
from cluster.machines.absent import absent_nodes
from cluster.machines.vms import find_vm
from house.model import House, Node
from talos.etcd import states_of
from talos.quorum import Standing, listed_by, members_of, standing


@dataclass(frozen=True)
class Remains:
    """One node's. `members` and `etcd` are as the other control planes tell them; `offline`: its host is off, and its VM unseen.

    `through` is who can be told to let a member go. `kube` is None, too, while etcd stands still: nobody can be asked then.
    `elsewhere` are VMs that nobody can read, on hosts that are off: one of them may be this node's of before.
    """

    phase: Phase
    vm: Vm | None
    offline: bool
    members: tuple[EtcdMember, ...]
    listed: tuple[str, ...]
    learners: tuple[str, ...]
    etcd: Standing
    through: Node | None
    kube: KubeNode | None
    elsewhere: tuple[Vm, ...]

    @property
    def answers(self) -> bool:
        """Whether any Talos API answers at its address: then it lives, or its successor does."""
        return self.phase is not Phase.UNREACHABLE

    @property
    def runs(self) -> bool:
        """Whether its VM is on, or may be."""
        return self.vm is not None and self.vm.power is not PowerState.STOPPED

    @property
    def recorded(self) -> bool:
        """Whether the cluster still knows one that lived: a VM that was made after it was given up is in none of its lists."""
        return self.kube is not None or any(not one.learner for one in self.members)

    @property
    def lost(self) -> bool:
        """Whether something of one that lived is left, and nothing of it lives."""
        return not self.answers and not self.runs and (self.recorded or bool(self.members))


def look_at_remains(proxmox: ProxmoxView, talos: TalosView, cluster: ClusterView, house: House, node: Node) -> Remains:
    """Ask everybody. Raises what a look raises."""
    offline = node in absent_nodes(proxmox, house)
    states = states_of(talos, (one for one in house.control_planes if one.name != node.name))
    listed = listed_by(states)
    etcd = standing(states, listed)
    nodes = cluster.nodes() if etcd.works else ()
    return Remains(
        phase=talos.phase(node.address),
        vm=None if offline else find_vm(proxmox, house, node),
        offline=offline,
        members=members_of(node, listed),
        listed=tuple(one.hostname or one.member_id for one in listed),
        learners=tuple(one.hostname or one.member_id for one in listed if one.learner),
        etcd=etcd,
        through=next((one for one in house.control_planes if one.name in states and states[one.name].healthy), None),
        kube=next((one for one in nodes if one.name == node.name), None),
        elsewhere=tuple(vm for vm in proxmox.vms() if not vm.readable),
    )
