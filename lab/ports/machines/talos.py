"""The Talos port, in process: the World's machines without gRPC, with the same refusals. Knows no program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from adapters.talos.errors import refusal
from adapters.talos.machineconfig import config_digest
from adapters.talos.results import Disk, EtcdData, EtcdMember, EtcdState, MachineState, Phase
from engine.errors import PermanentError, TransientError
from lab.ports.machines.machineconfigs import ModelledHouse
from lab.world.machines.machine import Machine, Port, Refused
from lab.world.machines.talos import TalosWorld

T = TypeVar("T")


class ModelledTalos:
    """Talos port over a TalosWorld; `house` holds the rendered files of the same World. Faults stand before it (faulty.py)."""

    def __init__(self, talos: TalosWorld, house: ModelledHouse) -> None:
        self._talos = talos
        self._world = talos.world
        self._house = house

    def client_version(self) -> str:
        """See ports.TalosView."""
        return self._talos.version

    def phase(self, address: str) -> Phase:
        """See ports.TalosView."""
        with self._world.looking():
            try:
                machine = self._talos.listening(address)
            except Refused:
                return Phase.UNREACHABLE
            if machine.port is Port.MAINTENANCE:
                return Phase.MAINTENANCE
            if not self._house.bundle:
                raise PermanentError(f"cannot tell whose Talos node {address} is: our own Talos CA is not known yet")
            return Phase.SECURE if self._ours(machine) else Phase.FOREIGN

    def phases(self, addresses: Sequence[str]) -> tuple[Phase, ...]:
        """See ports.TalosView."""
        return tuple(map(self.phase, addresses))

    def machine(self, address: str) -> MachineState:
        """See ports.TalosView."""
        with self._world.looking():
            machine = self._secure(address, "look at the machine")
            unmet = tuple(f"{name}: {reason}" for name, reason in self._talos.unmet(machine))
            ready = machine.stage == "running" and not unmet
            return MachineState(machine.stage, ready, unmet)

    def hostname(self, address: str) -> str:
        """See ports.TalosView."""
        with self._world.looking():
            return self._secure(address, "look at the machine").name

    def version(self, address: str) -> str:
        """See ports.TalosView."""
        with self._world.looking():
            return self._talos.version_of(self._secure(address, "read the version"))

    def disks(self, address: str) -> tuple[Disk, ...]:
        """See ports.TalosView."""
        with self._world.looking():
            machine = self._listening(address, "list the disks")
            system = machine.system_disk if machine.port is Port.SECURE else None
            return tuple(Disk(disk.device, disk.size, disk is system) for disk in machine.disks)

    def applied_digest(self, address: str) -> str:
        """See ports.TalosView."""
        with self._world.looking():
            machine = self._secure(address, "read the machineconfig")
            if machine.config is None:
                raise TransientError(f"{address} runs no machineconfig yet")
            return config_digest(machine.config.text)

    def etcd(self, address: str) -> EtcdState:
        """See ports.TalosView."""
        with self._world.looking():
            try:
                machine = self._talos.listening(address)
            except Refused:
                return EtcdState(EtcdData.UNKNOWN, healthy=False, members=())
            if machine.port is Port.MAINTENANCE or not self._ours(machine) or not machine.control_plane:
                return EtcdState(EtcdData.UNKNOWN, healthy=False, members=())
            return self._etcd(machine)

    def etcds(self, addresses: Sequence[str]) -> tuple[EtcdState, ...]:
        """See ports.TalosView."""
        return tuple(map(self.etcd, addresses))

    def clock(self, address: str) -> float:
        """See ports.TalosView."""
        with self._world.looking():
            return self._world.clock.now() + self._secure(address, "read the clock").clock_offset

    def machines(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, MachineState]:
        """See ports.TalosView."""
        return self._together(self.machine, addresses, through)

    def versions(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together(self.version, addresses, through)

    def applied_digests(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together(self.applied_digest, addresses, through)

    def clocks(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, float]:
        """See ports.TalosView."""
        return self._together(self.clock, addresses, through)

    def _together(self, ask: Callable[[str], T], addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, T]:
        """What each tells that answers, while one of `through` does that can pass it on."""
        if all(self.phase(address) is not Phase.SECURE for address in through):
            return {}
        told: dict[str, T] = {}
        for address in addresses:
            with suppress(TransientError, PermanentError):
                told[address] = ask(address)
        return told

    def apply_config(self, address: str, node: str, *, maintenance: bool) -> None:
        """See ports.Talos."""
        text = self._house.rendered.get(node)
        if text is None:
            raise PermanentError(f"the machineconfig of {node} is not rendered")
        what = f"apply the machineconfig of {node}"

        def act() -> None:
            machine = self._listening(address, what)
            if maintenance is not (machine.port is Port.MAINTENANCE):
                raise refusal(f"could not {what}", "Unavailable", ("the other Talos API answers at this address",))
            self._refused(what, lambda: self._talos.apply(machine, text))

        self._act(act)

    def bootstrap_etcd(self, address: str) -> None:
        """See ports.Talos."""
        what = f"bootstrap etcd on {address}"
        self._act(lambda: self._refused(what, lambda: self._talos.bootstrap(self._secure(address, what))))

    def fetch_kubeconfig(self, address: str) -> None:
        """See ports.Talos."""
        what = f"fetch the kubeconfig from {address}"

        def act() -> None:
            machine = self._secure(address, what)
            if not machine.control_plane or machine.config is None:
                raise refusal(f"could not {what}", "Unimplemented")
            self._house.kubeconfig_ca = machine.config.k8s_ca.crt
            self._house.kubeconfig_endpoint = machine.config.endpoint

        self._act(act)

    def shut_down(self, address: str) -> None:
        """See ports.Talos."""
        what = f"have {address} shut down"
        self._act(lambda: self._refused(what, lambda: self._talos.shutdown(self._secure(address, what))))

    def remove_member(self, address: str, member_id: str) -> None:
        """See ports.Talos."""
        what = f"have {address} remove etcd member {member_id}"
        self._act(lambda: self._refused(what, lambda: self._talos.etcd.remove(self._secure(address, what), int(member_id, 16))))

    def _etcd(self, machine: Machine) -> EtcdState:
        state = machine.service_state("etcd")
        if machine.etcd_dir is None:
            known = EtcdData.NONE if state == "Preparing" and machine.port is Port.SECURE else EtcdData.UNKNOWN
            return EtcdState(known, healthy=False, members=())
        if state != "Running":
            return EtcdState(EtcdData.PRESENT, healthy=False, members=())
        members = tuple(
            EtcdMember(f"{m.member_id:016x}", m.hostname, (m.peer_url,), m.learner)
            for m in self._talos.etcd.members(machine)
        )
        return EtcdState(EtcdData.PRESENT, self._talos.etcd.healthy(machine), members)

    def _ours(self, machine: Machine) -> bool:
        return machine.config is not None and machine.config.os_ca.crt == self._house.os_ca

    def _listening(self, address: str, what: str) -> Machine:
        try:
            return self._talos.listening(address)
        except Refused as answer:
            raise refusal(f"could not {what}", answer.code, (answer.text,)) from answer

    def _secure(self, address: str, what: str) -> Machine:
        machine = self._listening(address, what)
        if machine.port is not Port.SECURE or not self._ours(machine):
            raise refusal(f"could not {what}", "Unavailable", ("certificate signed by unknown authority",))
        return machine

    def _refused(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Refused as answer:
            raise refusal(f"could not {what}", answer.code, (answer.text,)) from answer

    def _act(self, act: Callable[[], None]) -> None:
        with self._world.looking():
            act()
