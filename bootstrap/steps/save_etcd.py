"""Copy etcd into the state folder: a snapshot where it works, else the database off each disk that still has one. Wipes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.etcd.results import EtcdSnapshot
from adapters.talos.results import EtcdData, EtcdState
from bootstrap.checks.etcd.recoverable import fresh, told, why_not
from bootstrap.etcd_files import COPY, SNAPSHOT, copied_from, file_name
from bootstrap.standstill import gone
from cluster.machines.absent import absent_nodes
from engine.errors import BlackstartError, PermanentError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import House, Node


@dataclass(frozen=True)
class SaveEtcd(BaseStep):
    """One control plane's etcd, as it is now. One that answers and has no data has nothing to be saved."""

    house: House
    node: Node
    system = "workstation"
    ready_s = 900.0

    @property
    def id(self) -> StepId:
        return StepId(f"etcd.save/{self.node.name}")

    @property
    def title(self) -> str:
        return f"etcd of {self.node.name} saved"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("preflight.keys", "talos.render-configs")

    @property
    def inputs(self) -> str:
        return self.node.name

    def probe(self, look: LookContext) -> Probe:
        state = look.talos.etcd(self.node.address)
        if state.data is EtcdData.UNKNOWN:
            if self._gone(look):
                return satisfied(f"{self.node.name} has no VM any more: nothing of it is left to be saved")
            return unknown(f"{self.node.name} does not tell whether it has etcd data")
        if state.data is EtcdData.NONE:
            return satisfied(f"{self.node.name} has no etcd data")
        now = look.clock.now()
        found = [one for one in look.etcd.kept() if fresh(one, now) and self._holds(one, state)]
        if found:
            return satisfied(told(found[-1], now))
        return missing("no snapshot within the hour" if state.healthy else f"no copy off {self.node.name} within the hour")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        healthy = act.talos.etcd(self.node.address).healthy
        name = file_name(self.node, SNAPSHOT if healthy else COPY, act.clock.now())
        if healthy:
            name = act.etcd.take(self.node.address, name)
        else:
            act.etcd.copy(self.node.address, name)
        made = act.etcd.look(name)
        if made.problem:
            raise PermanentError(f"{name} was written and is not sound: {made.problem}", hint="look at the node's disk and its log")

    def _gone(self, look: LookContext) -> bool:
        """Whether nothing answers for it and there is no VM of it, as far as Proxmox can say; where it cannot, nobody knows."""
        try:
            absent = self.node in absent_nodes(look.proxmox, self.house)
            return not absent and gone(look.proxmox, look.talos, self.house, self.node)
        except BlackstartError:
            return False

    def _holds(self, one: EtcdSnapshot, state: EtcdState) -> bool:
        """A snapshot of a working etcd is any member's; a copy is of this disk. What is not sound saves nothing."""
        return (one.hashed and not why_not(one)) if state.healthy else (copied_from(self.node, one) and one.sound)

    def by_hand(self) -> str:
        address = self.node.address
        copy = f"talosctl -n {address} -e {address} copy /var/lib/etcd/member/snap/db ."
        return f"talosctl -n {address} -e {address} etcd snapshot etcd.snapshot   # where it stands still: {copy}"


def steps(house: House) -> Iterator[SaveEtcd]:
    """One for every control plane."""
    for node in house.control_planes:
        yield SaveEtcd(house, node)
