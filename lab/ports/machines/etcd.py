"""The Etcd port, in process: a snapshot is what the modelled cluster held at that moment. Knows no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from adapters.etcd.results import EtcdSnapshot
from adapters.talos.errors import refusal
from engine.text.digest import digest
from lab.ports.machines.machineconfigs import ModelledHouse
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.machines.machine import Machine, Port, Refused


@dataclass
class LabSnapshot:
    """One file: what a look at it tells, and what the cluster held then (None for a file that was never a snapshot)."""

    seen: EtcdSnapshot
    objects: Objects | None = None


@dataclass(eq=False)
class Shelf:
    """The state folder's snapshots by name, and other files of this machine by their paths."""

    files: dict[str, LabSnapshot] = field(default_factory=dict)


class ModelledEtcd:
    """Etcd port over the World's machines and the modelled cluster."""

    def __init__(self, kube: KubeWorld, house: ModelledHouse, shelf: Shelf) -> None:
        self._kube, self._talos, self._world = kube, kube.talos, kube.world
        self._house = house
        self._shelf = shelf

    def kept(self) -> tuple[EtcdSnapshot, ...]:
        """See EtcdView."""
        with self._world.looking():
            return tuple(self._judged(one.seen) for name, one in sorted(self._shelf.files.items()) if "/" not in name)

    def look(self, path: str) -> EtcdSnapshot:
        """See EtcdView."""
        with self._world.looking():
            found = self._shelf.files.get(path)
            return EtcdSnapshot(path, "it cannot be read: No such file or directory") if found is None else self._judged(found.seen)

    def take(self, address: str, name: str) -> str:
        """See Etcd."""
        what = f"take a snapshot of etcd through {address}"

        def act() -> None:
            machine = self._secure(address, what)
            if not self._talos.etcd.healthy(machine):
                raise Refused("Unavailable", "etcdserver: no leader")
            self._write(machine, name, hashed=True)

        self._act(what, act)
        return name

    def copy(self, address: str, name: str) -> None:
        """See Etcd."""
        what = f"copy etcd's database off {address}"
        self._act(what, lambda: self._write(self._secure(address, what), name, hashed=False))

    def wipe(self, address: str) -> None:
        """See Etcd."""
        what = f"empty the EPHEMERAL partition of {address}"
        self._act(what, lambda: self._talos.reset(self._secure(address, what), ("EPHEMERAL",), graceful=False, reboot=True))

    def recover(self, address: str, snapshot: EtcdSnapshot) -> None:
        """See Etcd."""
        what = f"recover etcd on {address} from {snapshot.name}"

        def act() -> None:
            objects = self._shelf.files[snapshot.name].objects
            assert objects is not None
            self._talos.recover(self._secure(address, what), lambda cluster: self._kube.put_back(cluster, objects))

        self._act(what, act)

    def _write(self, machine: Machine, name: str, *, hashed: bool) -> None:
        there = machine.etcd_dir
        if there is None or there.cluster is None:
            raise Refused("Unknown", "stat /var/lib/etcd/member/snap/db: no such file or directory")
        revision, at = self._talos.etcd.written(there.cluster)
        names = tuple(sorted(one.hostname for one in there.cluster.members.values()))
        seen = EtcdSnapshot(
            name, there.broken, hashed, digest(name, revision, at), 1 << 20, revision, revision, at, self._house.k8s_ca,
            members=names, written=self._world.clock.now(),
        )  # fmt: skip
        self._shelf.files[name] = LabSnapshot(seen, self._kube.captured(there.cluster))

    def _judged(self, seen: EtcdSnapshot) -> EtcdSnapshot:
        return replace(seen, ours=seen.authority == self._house.k8s_ca)

    def _secure(self, address: str, what: str) -> Machine:
        machine = self._talos.listening(address)
        if machine.port is not Port.SECURE:
            raise Refused("Unavailable", "certificate signed by unknown authority")
        return machine

    def _act(self, what: str, act: Callable[[], None]) -> None:
        with self._world.looking():
            try:
                act()
            except Refused as answer:
                raise refusal(f"could not {what}", answer.code, (answer.text,)) from answer

