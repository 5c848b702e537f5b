"""The Talos port on talosctl, one node per call, and on certificates where the question is which API answers. Knows no step."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.process.results import Runner
from adapters.talos import certificate
from adapters.talos.machineconfig import config_digest
from adapters.talos.paths import TalosFiles
from adapters.talos.redaction import register_secrets
from adapters.talos.results import Disk, EtcdData, EtcdState, MachineState, Phase
from adapters.talos.talosctl import ACT_S, Talosctl, facts, table
from adapters.talos.together import Row, Together, members
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.files.whole import put_in_place
from engine.workers import Threads, each
from house.files import yamlfile

ETCD_DATA = "/var/lib/etcd"
_MACHINE = ("machinestatuses.runtime.talos.dev", "machine")
_VERSION = ("versions.runtime.talos.dev", "version")
_CONFIG = ("machineconfigs.config.talos.dev", "v1alpha1")
_WAITING = ("Preparing", "Waiting")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? \+0000 UTC")
_BLIND = EtcdState(EtcdData.UNKNOWN, healthy=False, members=())


class TalosctlTalos:
    """See ports.Talos. `os_ca` answers our Talos CA as PEM ("" when it is not known yet)."""

    def __init__(self, state_dir: Path, runner: Runner, os_ca: Callable[[], str]) -> None:
        self._files = TalosFiles(state_dir)
        self._talosctl = Talosctl(runner, self._files.talosconfig)
        self._together = Together(self._talosctl)
        self._os_ca = os_ca
        self._workers = Threads()

    def client_version(self) -> str:
        """See ports.TalosView."""
        return self._talosctl.version()

    def phase(self, address: str) -> Phase:
        """See ports.TalosView."""
        return certificate.look(address, self._os_ca())

    def phases(self, addresses: Sequence[str]) -> tuple[Phase, ...]:
        """See ports.TalosView."""
        return tuple(each(self._workers, self.phase, addresses, at_once=len(addresses)))

    def machine(self, address: str) -> MachineState:
        """See ports.TalosView."""
        return _machine(address, self._talosctl.spec(address, *_MACHINE))

    def machines(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, MachineState]:
        """See ports.TalosView."""
        return self._together.specs(addresses, through, *_MACHINE, _machine)

    def hostname(self, address: str) -> str:
        """See ports.TalosView."""
        return str(self._talosctl.spec(address, "hostnamestatuses.net.talos.dev", "hostname").get("hostname", ""))

    def version(self, address: str) -> str:
        """See ports.TalosView."""
        return _version(address, self._talosctl.spec(address, *_VERSION))

    def versions(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together.specs(addresses, through, *_VERSION, _version)

    def disks(self, address: str) -> tuple[Disk, ...]:
        """See ports.TalosView."""
        maintenance = self.phase(address) is Phase.MAINTENANCE
        found = self._talosctl.resources(address, "disks.block.talos.dev", insecure=maintenance)
        system = "" if maintenance else self._system_disk(address)
        specs = (disk.get("spec") or {} for disk in found)
        return tuple(
            Disk(str(spec.get("dev_path", "")), int(spec.get("size", 0)), spec.get("dev_path") == system)
            for spec in specs
            if not spec.get("cdrom") and not spec.get("readonly") and spec.get("size")
        )

    def applied_digest(self, address: str) -> str:
        """See ports.TalosView."""
        return _digest(address, self._talosctl.spec(address, *_CONFIG))

    def applied_digests(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together.specs(addresses, through, *_CONFIG, _digest)

    def etcd(self, address: str) -> EtcdState:
        """See ports.TalosView. NONE only when the node itself listed its data directory and it was empty."""
        if self.phase(address) is not Phase.SECURE:
            return _BLIND
        try:
            service = facts(self._talosctl.call(address, f"ask {address} for etcd", "service", "etcd"))
        except BlackstartError:
            return _BLIND
        state = service.get("STATE", "")
        if state == "Running":
            return self._running_etcd(address, healthy=service.get("HEALTH") == "OK")
        try:
            content = self._data_directory(address)
        except BlackstartError:
            return _BLIND
        if content:
            return EtcdState(EtcdData.PRESENT, healthy=False, members=())
        return EtcdState(EtcdData.NONE, healthy=False, members=()) if state in _WAITING else _BLIND

    def etcds(self, addresses: Sequence[str]) -> tuple[EtcdState, ...]:
        """See ports.TalosView. Those that run are asked together; any other, and who is not told of so, by itself."""
        phases = self.phases(addresses)
        ours = tuple(address for address, phase in zip(addresses, phases, strict=True) if phase is Phase.SECURE)
        together = self._running_etcds(ours) if len(ours) > 1 else {}
        others = tuple(address for address in ours if address not in together)
        alone = dict(zip(others, each(self._workers, self.etcd, others, at_once=len(others)), strict=True))
        return tuple(together.get(address) or alone.get(address, _BLIND) for address in addresses)

    def clock(self, address: str) -> float:
        """See ports.TalosView. The node asks its time server for this; without one there is no answer (TransientError)."""
        what = f"read the clock of {address}"
        found = _time(table(self._talosctl.call(address, what, "time")))
        if found is None:
            raise TransientError(f"could not {what}: no time in the answer")
        return found

    def clocks(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, float]:
        """See ports.TalosView."""
        told = self._together.rows(addresses, through, "time")
        return {node: at for node, rows in told.items() if len(rows) == 1 and (at := _time(rows)) is not None}

    def apply_config(self, address: str, node: str, *, maintenance: bool) -> None:
        """See ports.Talos."""
        file = self._files.machineconfig(node)
        if not file.is_file():
            raise PermanentError(f"the machineconfig of {node} is not rendered", evidence=(str(file),))
        self._talosctl.call(
            address,
            f"apply the machineconfig of {node}",
            "apply-config",
            "--file",
            str(file),
            insecure=maintenance,
            timeout_s=ACT_S,
        )

    def bootstrap_etcd(self, address: str) -> None:
        """See ports.Talos. AlreadyBootstrapped when this node has etcd data; whether they are ours, the members tell."""
        self._talosctl.call(address, f"bootstrap etcd on {address}", "bootstrap", timeout_s=ACT_S)

    def fetch_kubeconfig(self, address: str) -> None:
        """See ports.Talos."""
        part = self._files.kubeconfig.with_name("kubeconfig.part")
        part.unlink(missing_ok=True)
        what = f"fetch the kubeconfig from {address}"
        try:
            self._talosctl.call(address, what, "kubeconfig", str(part), "--merge=false", "--force", timeout_s=ACT_S)
            part.chmod(0o600)
            register_secrets([d.value for d in yamlfile.load(part, "kubeconfig")])
            put_in_place(part, self._files.kubeconfig)
        finally:
            part.unlink(missing_ok=True)

    def shut_down(self, address: str) -> None:
        """See ports.Talos. Forced: it neither cordons the node nor drains it, for nobody else is to take its pods."""
        what = f"have {address} shut down"
        self._talosctl.call(address, what, "shutdown", "--force", "--wait=false", timeout_s=ACT_S)

    def remove_member(self, address: str, member_id: str) -> None:
        """See ports.Talos."""
        what = f"have {address} remove etcd member {member_id}"
        self._talosctl.call(address, what, "etcd", "remove-member", member_id, timeout_s=ACT_S)

    def _system_disk(self, address: str) -> str:
        found = self._talosctl.resources(address, "systemdisks.block.talos.dev")
        specs = (disk.get("spec") or {} for disk in found)
        return next((str(spec.get("devPath")) for spec in specs), "")

    def _running_etcd(self, address: str, *, healthy: bool) -> EtcdState:
        """With the members as its own etcd lists them; none when it did not answer. A refusal: it went down meanwhile."""
        try:
            rows = table(self._talosctl.call(address, f"list the etcd members on {address}", "etcd", "members"))
        except TransientError:
            rows = ()
        except BlackstartError:
            return _BLIND
        return EtcdState(EtcdData.PRESENT, healthy, members(rows))

    def _running_etcds(self, addresses: Sequence[str]) -> Mapping[str, EtcdState]:
        """Of these control planes, those whose etcd runs and lists its members."""
        told = self._together.described(addresses, addresses, "service", "etcd")
        running = tuple(address for address, service in told.items() if service.get("STATE") == "Running")
        listed = self._together.rows(running, running, "etcd", "members")
        return {
            address: EtcdState(EtcdData.PRESENT, told[address].get("HEALTH") == "OK", found)
            for address, rows in listed.items()
            if (found := members(rows))
        }

    def _data_directory(self, address: str) -> tuple[str, ...]:
        """Names in etcd's data directory, as the node lists them."""
        text = self._talosctl.call(address, f"list {ETCD_DATA} on {address}", "list", "--depth", "1", ETCD_DATA)
        # `NODE NAME` rows, or bare names where one node answers alone; `.` is the directory itself.
        rows = (line.split() for line in text.splitlines() if line.strip())
        return tuple(row[-1] for row in rows if row != ["NODE", "NAME"] and row[-1] != ".")


def _machine(_: str, status: Any) -> MachineState:
    inner = status.get("status") or {}
    return MachineState(
        stage=str(status.get("stage", "")),
        ready=bool(inner.get("ready")),
        unmet=tuple(f"{c.get('name')}: {c.get('reason')}" for c in inner.get("unmetConditions") or ()),
    )


def _version(_: str, told: Any) -> str:
    return str(told.get("version", ""))


def _digest(address: str, config: Any) -> str:
    if not isinstance(config, str):
        raise TransientError(f"{address} does not show its machineconfig as text")
    return config_digest(config)


def _time(rows: Sequence[Row]) -> float | None:
    """The node's own time in the first row of `talosctl time`, in epoch seconds."""
    found = _TIME.match(rows[0].get("NODE-TIME", "")) if rows else None
    if found is None:
        return None
    day, time, fraction = found.groups()
    at = datetime.strptime(f"{day} {time}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return at.timestamp() + float(fraction or 0)
