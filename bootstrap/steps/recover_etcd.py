"""Make etcd again from a snapshot: what is left of the old one is copied and wiped, then one control plane begins a new one.

One act for all of it, by one consent that names the snapshot: wherever a run breaks off, etcd stands still, and the same goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.context import ActContext, LookContext
from adapters.etcd.results import EtcdSnapshot
from adapters.talos.results import EtcdData
from bootstrap.checks.etcd.recoverable import told
from bootstrap.etcd_files import COPY, file_name
from bootstrap.needs import configured
from bootstrap.standstill import Ground, look_at_ground
from engine.errors import PermanentError, TransientError
from engine.probe import Identity, Probe, changing, drifted, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.waiting import wait_until
from house.model import House, Node


@dataclass(frozen=True)
class Recovered(Identity):
    """The snapshot that etcd is made again from: what was written after it is lost. `words` say when that was, and what goes.

    `emptied` names the control planes that answer: empty when etcd begins, whether this run or one before has emptied them.
    """

    snapshot: str
    revision: int
    emptied: tuple[str, ...]
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class RecoverEtcd(BaseStep):
    """A healthy etcd. `on` is where it begins; the others join it."""

    house: House
    snapshot: EtcdSnapshot | None
    on: Node
    system = "etcd"
    id = StepId("etcd.recover")
    title = "etcd made again from a snapshot"
    settle_s = 60.0  # a node that took the call and has not begun yet looks like one that did not

    @property
    def needs(self) -> tuple[str, ...]:
        first = ("preflight.standstill", "preflight.snapshot", "proxmox.lift-reservation", "talos.render-configs")
        return (*first, configured(self.on.name))

    @property
    def sight_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def ready_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def inputs(self) -> str:
        return f"{self.on.name} {self.snapshot.digest if self.snapshot is not None else ''}"

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        seen = look_at_ground(look.proxmox, look.talos, self.house)
        if seen.works:
            return satisfied(seen.told)
        if seen.starting:
            return changing(f"etcd on {seen.starting[0].name} is starting as one of its own")
        if seen.silent or seen.off:
            return unknown("not every control plane could be asked", *(node.name for node in (*seen.silent, *seen.off)))
        if self.snapshot is None:
            return unknown("there is no snapshot")
        lost = self._lost(self.snapshot, seen, look.clock.now())
        if seen.having:
            return drifted("etcd stands still", *(f"{node.name} has data of before" for node in seen.having), identity=lost)
        return missing("no control plane has etcd data", identity=lost)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        if self.snapshot is None:
            raise PermanentError("there is no snapshot to recover from", hint="right would be --snapshot FILE: nothing was wiped")
        ground = self._still(act)
        if self._lost(self.snapshot, ground, act.clock.now()) != seen.identity:
            raise TransientError("which control planes have data is not what was consented to")
        for node in ground.having:
            # Whatever it is worth: what is wiped is not to be had again.
            act.etcd.copy(node.address, file_name(node, COPY, act.clock.now()))
            self._still(act)  # a copy takes minutes, and who was missing may have come back
            act.etcd.wipe(node.address)
        wait_until(act.clock, lambda: self._bare(act), limit_s=self.house.limits.boot_s, what="control planes without data")
        act.etcd.recover(self.on.address, self.snapshot)

    def _bare(self, act: ActContext) -> bool | None:
        """Whether all of them are asked and none has data any more; None while one is restarting."""
        ground = self._still(act)
        states = [ground.states[node.name] for node in self.house.control_planes if node not in (*ground.unmade, *ground.dark)]
        ready = ground.states[self.on.name].data is EtcdData.NONE
        return True if ready and all(state.data is EtcdData.NONE for state in states) else None

    def _still(self, act: ActContext) -> Ground:
        """TransientError once an etcd lives: then nothing is wiped, and none is begun."""
        ground = look_at_ground(act.proxmox, act.talos, self.house)
        if ground.works or ground.starting:
            raise TransientError("an etcd lives by now")
        return ground

    def _lost(self, snapshot: EtcdSnapshot, seen: Ground, now: float) -> Recovered:
        emptied = tuple(node.name for node in self.house.control_planes if node in (*seen.having, *seen.bare))
        return Recovered(snapshot.digest, snapshot.revision, emptied, self._words(snapshot, seen, now))

    def _words(self, snapshot: EtcdSnapshot, seen: Ground, now: float) -> str:
        parts = [f"etcd is made again from {told(snapshot, now)}; what was written after that is lost"]
        if seen.having:
            names = ", ".join(node.name for node in seen.having)
            parts.append(
                f"EPHEMERAL of {names} is emptied: etcd's data (copied first), images, logs, and what hostPath volumes, Longhorn "
                "or OpenEBS keep on the system disk"
            )
        parts += [f"{node.name} on {node.host}, which is offline, must not come back with its data" for node in seen.dark]
        return "; ".join(parts)

    def by_hand(self) -> str:
        address, name = self.on.address, self.snapshot.name if self.snapshot is not None else "FILE"
        wipe = "talosctl reset --graceful=false --reboot --system-labels-to-wipe=EPHEMERAL -n NODE"
        return f"{wipe} && talosctl bootstrap --recover-from={name} -n {address} -e {address}   # all with data"


def step(house: House, snapshot: EtcdSnapshot | None, on: Node) -> RecoverEtcd:
    """One for the house."""
    return RecoverEtcd(house, snapshot, on)
