"""Give a lost node up: its dead VM, its Node object, its etcd member, in this order, by a consent that names them.

Whatever is left of it is what makes it known as lost: once nothing is, a VM of its name is its successor and is not touched.
The member goes last, so that the consent (to that very member) holds wherever a run breaks off in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.context import ActContext, LookContext
from adapters.talos.results import Phase
from bootstrap.remains import Remains, look_at_remains
from cluster.machines.vms import await_task, find_vm, require_quorum
from engine.errors import TransientError
from engine.probe import Identity, Probe, changing, drifted, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.known.inventory import known_inventory
from house.model import House, Node

DESTROY_LIMIT_S = 300.0


@dataclass(frozen=True)
class LostNode(Identity):
    """A node of before, by what is another for each of its lives: its etcd members' ids, or else its Node object's uid.

    `strange` are disks of its VM that the inventory does not have: they were put there since. With the VM they are gone, so that a
    consent holds wherever a run breaks off after that, unless there were any.
    """

    node: str
    vm_id: int
    host: str
    known_by: tuple[str, ...]
    strange: tuple[str, ...] = ()
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class GiveUp(BaseStep):
    """Nothing is left of the lost node. What answers, or may live, is never touched. `spared`: what must be known before."""

    house: House
    node: Node
    spared: tuple[str, ...] = ()
    system = "proxmox"
    standing = True

    @property
    def id(self) -> StepId:
        return StepId(f"node.give-up/{self.node.name}")

    @property
    def title(self) -> str:
        return f"lost {self.node.name} given up"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.lost/{self.node.name}", *self.spared, "preflight.machineconfigs", "proxmox.lift-reservation")

    @property
    def inputs(self) -> str:
        return f"{self.node.name} {self.node.vm_id} {self.node.host}"

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        seen = look_at_remains(look.proxmox, look.talos, look.cluster, self.house, self.node)
        if seen.answers:
            return satisfied(f"{self.node.name} answers")
        if seen.vm is not None and seen.vm.lock:
            return changing(f"VM {seen.vm.vm_id} is locked: {seen.vm.lock}")
        if not seen.lost:
            return satisfied(f"nothing is left of an earlier {self.node.name}")
        return drifted(f"{self.node.name} is lost", *self._left(seen), identity=self._lost(seen))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        now = look_at_remains(act.proxmox, act.talos, act.cluster, self.house, self.node)
        if not now.lost or self._lost(now) != seen.identity:
            # It has come up since, or somebody else was at it: the next look tells.
            raise TransientError(f"what is left of {self.node.name} is not what was consented to")
        if now.vm is not None:
            require_quorum(act.proxmox)
            await_task(act.proxmox, act.clock, notes, act.proxmox.destroy_vm(now.vm.host, now.vm.vm_id), DESTROY_LIMIT_S)
        if now.kube is not None:
            self._must(act, now.vm is None or find_vm(act.proxmox, self.house, self.node) is None, "its VM is still there")
            act.cluster.forget_node(now.kube.name, now.kube.uid)
        if now.through is not None and now.members:
            # The consent is to the member, and what told us that the node was lost: it goes when nothing else is left.
            left = look_at_remains(act.proxmox, act.talos, act.cluster, self.house, self.node)
            self._must(act, left.vm is None and left.kube is None, "its VM or its Node object is still there")
            for member in now.members:
                act.talos.remove_member(now.through.address, member.member_id)

    def _must(self, act: ActContext, done: bool, otherwise: str) -> None:
        """TransientError unless it is done, and nothing has come up at its address meanwhile."""
        if not done:
            raise TransientError(f"{self.node.name} is not given up: {otherwise}")
        if act.talos.phase(self.node.address) is not Phase.UNREACHABLE:
            raise TransientError(f"{self.node.name} answers by now")

    def _lost(self, seen: Remains) -> LostNode:
        ids = tuple(member.member_id for member in seen.members)
        known_by = ids or ((seen.kube.uid,) if seen.kube is not None else ())
        words = f"{self.node.name}: {'; '.join(self._left(seen))}"
        return LostNode(self.node.name, self.node.vm_id, self.node.host, known_by, self._strange(seen), words)

    def _strange(self, seen: Remains) -> tuple[str, ...]:
        """None where no inventory knows its VM: then the settings alone say which disks it may have."""
        known = known_inventory(self.house)
        before = known.vm_of(self.node.name) if known is not None else None
        if seen.vm is None or before is None:
            return ()
        had = {(disk.slot, disk.volume) for disk in before.disks}
        return tuple(f"{disk.slot} {disk.volume}" for disk in seen.vm.disks if (disk.slot, disk.volume) not in had)

    def _left(self, seen: Remains) -> tuple[str, ...]:
        """What goes, and how etcd stands before and after."""
        told = []
        if seen.vm is not None:
            disks = ", ".join(f"{disk.slot} {disk.size >> 30} GiB" for disk in seen.vm.disks) or "no disk"
            told.append(f"VM {seen.vm.vm_id} on {seen.vm.host} is destroyed, with {disks}")
        told += [f"{one} is not in the inventory: it came since, and is destroyed with it" for one in self._strange(seen)]
        told += [f"VM {vm.vm_id} ({vm.name}) on {vm.host}, which is offline, must not start again: same MAC and address"
                 for vm in seen.elsewhere if vm.name == self.node.name]  # fmt: skip
        if seen.kube is not None:
            told.append("its Node object is deleted, and what ran there may start elsewhere")
        voters = sum(not member.learner for member in seen.members)
        if seen.members:
            ids = ", ".join(member.member_id for member in seen.members)
            after = seen.etcd.without(voters)
            told.append(f"member {ids} leaves etcd: now {seen.etcd}. Then {after}, until {self.node.name} has joined again")
        return tuple(told)

    def by_hand(self) -> str:
        other = next((one.address for one in self.house.control_planes if one.name != self.node.name), "CONTROL-PLANE")
        forget = f"kubectl delete node {self.node.name}"
        if not self.node.control_plane:
            return f"qm destroy {self.node.vm_id} --purge && {forget}   # on {self.node.host}, if it is off and dead; then anywhere"
        leave = f"talosctl -n {other} -e {other} etcd remove-member ID"
        return f"qm destroy {self.node.vm_id} --purge && {forget} && {leave}   # its ID: talosctl etcd members"


def step(house: House, node: Node) -> GiveUp:
    """Of one node, which a person named."""
    return GiveUp(house, node)
