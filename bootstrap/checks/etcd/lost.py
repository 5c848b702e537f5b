"""Whether a node may be given up and made anew: it is lost for certain, and etcd can do without its member until then.

Each refusal is one sentence, with what a person can do about it. Knows no step.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.proxmox.results import Vm
from adapters.talos.results import EtcdData, Phase
from bootstrap.remains import Remains, look_at_remains
from cluster.machines.differing import lost
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import agreed, number
from house.model import DiskFate, House, Node
from talos.etcd import states_of

RECOVER = "invoke cluster.recover-etcd brings it back from what one control plane still has, or from a snapshot"


@dataclass(frozen=True)
class Lost(BaseCheck):
    """One node, named by a person. One that lives is left as it is, which is no refusal: the same again after a run finds that."""

    house: House
    node: Node
    sight_s = 120.0  # Kubernetes misses a kubelet after 50 s
    needs = ("preflight.quorum", "preflight.keys")  # who sees all VMs, and tells our nodes from strangers

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.lost/{self.node.name}")

    @property
    def title(self) -> str:
        return f"{self.node.name} may be made anew"

    def probe(self, look: LookContext) -> Probe:
        seen = look_at_remains(look.proxmox, look.talos, look.cluster, self.house, self.node)
        if seen.phase is Phase.FOREIGN:
            return missing(
                f"a node of another cluster answers at {self.node.address}",
                hint=f"see which machine has the address of {self.node.name}; two with one address would disturb each other",
            )
        if seen.answers:
            return self._living(look, seen)
        return (
            self._without_etcd(look, seen)
            or self._unsettled(seen)
            or (self._without_host(look, seen) if seen.offline else None)
            or self._perhaps_living(seen)
            or self._not_ours_to_destroy(seen.vm)
            or satisfied(*self._what_is_left(seen))
        )

    def _living(self, look: LookContext, seen: Remains) -> Probe:
        name = self.node.name
        state = look.talos.etcd(self.node.address) if self.node.control_plane else None
        if state is not None and state.data is EtcdData.PRESENT and not state.healthy:
            return changing(
                f"{name} answers, has etcd data, and its etcd is not healthy",
                hint=f"nothing that answers is destroyed: see its log (talosctl -n {self.node.address} logs etcd); if its disk is "
                f"at fault, stop VM {self.node.vm_id} and run the same again",
            )
        return satisfied(f"{name} answers: it lives, and nothing of it is taken away")

    def _without_etcd(self, look: LookContext, seen: Remains) -> Probe | None:
        name, others = self.node.name, [one for one in self.house.control_planes if one.name != self.node.name]
        if not others:
            return missing(f"{name} is the only control plane: with it, etcd is gone", hint=RECOVER)
        if seen.etcd.works:
            return None
        states = states_of(look.talos, others)
        if all(state.data is EtcdData.NONE for state in states.values()):
            return missing("no other control plane has etcd data: there is nothing to join", hint="cluster.bootstrap makes an etcd")
        dark = [f"{one}: {'has data' if state.data is EtcdData.PRESENT else state.data.value}, not healthy"
                for one, state in sorted(states.items()) if not state.healthy]  # fmt: skip
        without = f"without {name} etcd has {seen.etcd}" if seen.etcd.voters else "etcd stands still: no member is healthy"
        return missing(
            f"{without}; no member can leave it or join it", *dark,
            hint=f"start the control planes that are off; where their data are lost: {RECOVER}",
        )  # fmt: skip

    def _unsettled(self, seen: Remains) -> Probe | None:
        ours = {one.name for one in self.house.control_planes}
        own = {one.hostname or one.member_id for one in seen.members}
        joining = [one for one in seen.learners if one not in own]
        if joining:
            return changing(
                f"{agreed(joining, 'is', 'are')} joining etcd as a learner, and etcd takes one at a time",
                hint="wait until it votes, then the same again",
            )
        strangers = [one for one in seen.listed if one not in ours and one not in own]
        if strangers:
            return missing(
                f"etcd has members that are no control planes of this house: {', '.join(strangers)}",
                hint="they count in its majority: find out what they are, and remove those that are gone (talosctl etcd members)",
            )
        return None

    def _without_host(self, look: LookContext, seen: Remains) -> Probe:
        wanted = self.node.memory
        room = {host.name: host.memory_free for host in look.proxmox.hosts()}
        fit = [f"{name}: {free >> 30} GiB free" for name, free in sorted(room.items()) if free >= wanted]
        taken = {vm.vm_id for vm in look.proxmox.vms()}
        free_id = next(one for one in range(self.node.vm_id + 1, self.node.vm_id + len(taken) + 2) if one not in taken)
        place = next((name for name, free in sorted(room.items(), key=lambda one: -one[1]) if free >= wanted), "")
        lines = f"host: {place} and vm_id: {free_id} for {self.node.name} in {self.house.settings_file.name}"
        elsewhere = f"start it; or, to make {self.node.name} elsewhere, write {lines}, then the same again"
        return missing(
            f"{self.node.host} is offline: nothing can be made on it, and VM {self.node.vm_id} there may come back with it",
            *(fit or (f"no other host has the {wanted >> 30} GiB that {self.node.name} wants",)),
            hint=elsewhere if place else "start it, or make room elsewhere",
        )

    def _perhaps_living(self, seen: Remains) -> Probe | None:
        name, vm = self.node.name, seen.vm
        if vm is not None and vm.lock:
            return changing(f"VM {vm.vm_id} is locked: {vm.lock}", hint="wait for what holds it (backup, snapshot, migration)")
        if vm is not None and vm.host != self.node.host:
            return missing(
                f"VM {vm.vm_id} is on {vm.host}, and the settings have it on {self.node.host}",
                hint=f"make {self.house.settings_file.name} say where {name} is to be",
            )
        if seen.recorded and seen.runs:
            return missing(
                f"VM {self.node.vm_id} runs and does not answer at {self.node.address}: it may live",
                hint=f"see its console; to give it up, stop it first: qm stop {self.node.vm_id} on {self.node.host}",
            )
        if seen.kube is not None and seen.kube.ready:
            return changing(
                f"Kubernetes says that {name} is Ready: it lives somewhere, or died in the last minute",
                hint="find the machine that has this name: Kubernetes would have missed it by now",
            )
        return None

    def _not_ours_to_destroy(self, vm: Vm | None) -> Probe | None:
        if vm is None:
            return None
        keep = {disk.slot for disk in self.node.disks if disk.fate is DiskFate.KEEP}
        kept = [f"{disk.slot}: {disk.volume}, {disk.size >> 30} GiB" for disk in vm.disks if disk.slot in keep]
        if kept:
            return missing(
                f"VM {vm.vm_id} has {number(len(kept), 'disk')} that the settings want kept, and would take them along", *kept,
                hint=f"unlink them from it (qm disk unlink {vm.vm_id}), or say `fate: create` for what may be lost",
            )  # fmt: skip
        wanted = {disk.slot for disk in self.node.disks}
        extra = [f"{disk.slot}: {disk.volume}, {disk.size >> 30} GiB" for disk in vm.disks if disk.slot not in wanted]
        if extra:
            return missing(
                f"VM {vm.vm_id} has {number(len(extra), 'disk')} that the settings do not know, and would take them along", *extra,
                hint=f"unlink them from it (qm disk unlink {vm.vm_id}), or write them down in the settings with `fate: create`",
            )  # fmt: skip
        found = lost(vm, self.node)
        beyond = dict.fromkeys((*found.by_hand, *found.add, *(one for one in vm.passed if "/dev/" in one)))
        if beyond:
            return missing(
                f"VM {vm.vm_id} has what the settings do not say, and a VM made anew would not have", *beyond,
                hint="say it in the settings, or take it from the VM in Proxmox first and give it to the new one by hand",
            )  # fmt: skip
        return None

    def _what_is_left(self, seen: Remains) -> tuple[str, ...]:
        if not seen.lost:
            return (f"nothing of an earlier {self.node.name} is left: it is made like any other",)
        left = [f"VM {seen.vm.vm_id}, off" if seen.vm else "no VM"]
        left += [f"etcd member {one.member_id}" for one in seen.members]
        left += [f"its Node object, {seen.kube.reason or 'not ready'}"] if seen.kube else []
        return (f"{self.node.name} is lost", *left, f"etcd: {seen.etcd}")

    def by_hand(self) -> str:
        other = next((one.address for one in self.house.control_planes if one.name != self.node.name), self.node.address)
        return f"talosctl -n {other} etcd members   # most of them answer, and {self.node.name} is not among those"


def check(house: House, node: Node) -> Lost:
    """The check of one node."""
    return Lost(house, node)
