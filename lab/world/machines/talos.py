"""The Talos machines of the house: from power to a running node, and what their API does to them. Knows no protocol.

Both doors call the same methods; a refusal is `Refused` with Talos's gRPC code and text.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lab.world.machines.etcd import EtcdCluster
from lab.world.machines.etcd_life import EtcdDelays, EtcdLife, Hook
from lab.world.machines.machine import TALOS_KEY, Machine, MachineDisk, Port, Refused, Service, TalosDisk, check_wiped
from lab.world.machines.machineconfig import ConfigRefused, MachineConfig, parse
from lab.world.world import World

CONTROL_PLANE_SERVICES = (
    "apid",
    "auditd",
    "containerd",
    "cri",
    "etcd",
    "kubelet",
    "machined",
    "syslogd",
    "trustd",
    "udevd",
)
WORKER_SERVICES = ("apid", "auditd", "containerd", "cri", "kubelet", "machined", "syslogd", "udevd")
_STAGED = "Staged configuration to be applied after the next reboot"
AT_ONCE = frozenset(CONTROL_PLANE_SERVICES) - {"etcd", "kubelet"}


@dataclass(frozen=True)
class TalosDelays:
    """Seconds of the World's clock. `gap_s`: how long port 50000 stays closed when it changes its certificate."""

    boot_s: float = 12.0
    gap_s: float = 2.0
    install_s: float = 20.0
    reboot_s: float = 2.0
    kubelet_s: float = 4.0
    etcd: EtcdDelays = field(default_factory=EtcdDelays)


class TalosWorld:
    """All machines by MAC. A MAC's address is the house's network's to say: `plug_in` before the VM starts.

    Hooks (called under the World's lock, must return at once): `on_kubelet`, a node's kubelet started; `on_down`, a machine
    went dark; `on_port`, port 50000 changed; `on_guest_off`, the guest switched itself off. `not_ready` says why a running
    node is not ready yet (pairs of name and reason), for a lab whose Kubernetes knows more than this.
    """

    def __init__(self, world: World, delays: TalosDelays | None = None, version: str = "v1.13.9") -> None:
        self.world = world
        self.delays = delays or TalosDelays()
        self.version = version
        self.machines: dict[str, Machine] = {}
        self.unknown: list[str] = []  # calls that Talos has and this World has not
        self.etcd = EtcdLife(world, lambda: self.machines.values(), self.delays.etcd, self.settle)
        self.on_kubelet: list[Hook] = []
        self.on_down: list[Hook] = []
        self.on_port: list[Hook] = []
        self.on_guest_off: list[Hook] = []
        self.not_ready: Callable[[Machine], Sequence[tuple[str, str]]] = lambda machine: ()

    def plug_in(self, mac: str, address: str) -> Machine:
        """Give the machine of this MAC its address (as a DHCP reservation does)."""
        machine = Machine(mac.lower(), address)
        self.machines[machine.mac] = machine
        return machine

    def at(self, address: str) -> Machine:
        """The machine at an address; KeyError when nothing is plugged in there."""
        return next(m for m in self.machines.values() if m.address == address)

    def power_on(
        self, mac: str, disks: Iterable[MachineDisk], *, stuck: str = "", iso: bool = False, memory: int = Machine.memory
    ) -> None:
        """The VM of this MAC was switched on with these disks and `memory` (bytes); a MAC that nobody plugged in stays dark.

        `stuck` says why its firmware or kernel gets nowhere; with `iso` it starts from that while nothing is installed.
        """
        machine = self.machines.get(mac.lower())
        if machine is None:
            self.world.happened("talos", f"{mac.lower()}: power on, and the network has no address for it")
            return
        if machine.powered:
            return
        machine.disks, machine.powered, machine.stuck, machine.iso = tuple(disks), True, stuck, iso
        machine.memory = memory
        for disk in machine.disks:
            if disk.image and TALOS_KEY not in disk.data:
                disk.data[TALOS_KEY] = TalosDisk(self.version, installed=True)
        self._boot(machine)

    def version_of(self, machine: Machine) -> str:
        """The Talos that is on its disk; where nothing is installed yet, that of the image it was started from."""
        return machine.talos_disk.version if machine.talos_disk is not None else self.version

    def power_off(self, mac: str) -> None:
        """The power of this MAC's VM is gone, at once."""
        machine = self.machines.get(mac.lower())
        if machine is not None and machine.powered:
            machine.powered = False
            self._dark(machine)

    def settle(self) -> None:
        """Let every machine go on that waits for another one, and bring stages up to date."""
        for machine in self.machines.values():
            if machine.control_plane:
                self.etcd.consider(machine)
        for machine in self.machines.values():
            self._admit_worker(machine)
            self._stage(machine)

    # What the API does.

    def listening(self, address: str) -> Machine:
        """The machine whose API answers at an address; Refused (Unavailable) when none does."""
        self.settle()
        machine = next((m for m in self.machines.values() if m.address == address), None)
        if machine is None or machine.port is Port.CLOSED:
            raise Refused(
                "Unavailable",
                f'connection error: desc = "transport: Error while dialing: dial tcp {address}:50000: connect: connection refused"',
            )
        return machine

    def unmet(self, machine: Machine) -> tuple[tuple[str, str], ...]:
        """Why the machine is not ready: pairs of name and reason."""
        if machine.config is None:
            return ()
        if machine.stage != "running":
            waiting = sorted(name for name in machine.services if not self.service_healthy(machine, name))
            return (("services", ", ".join(f"{name} not running" for name in waiting)),) if waiting else ()
        if machine.control_plane and not self.etcd.healthy(machine):
            return (("services", "etcd not healthy"),)
        return tuple(self.not_ready(machine))

    def service_healthy(self, machine: Machine, name: str) -> bool:
        """Whether a service runs and is healthy."""
        if name == "etcd":
            return self.etcd.healthy(machine)
        return machine.service_state(name) == "Running"

    def foresee(self, machine: Machine, text: str, mode: str = "auto") -> str:
        """What `apply` would answer, and refuse; nothing is done."""
        if mode not in ("auto", "no-reboot", "reboot", "staged", "try"):
            raise Refused("Unimplemented", f"apply configuration --mode='{mode}' is not simulated")
        self._checked(machine, text)
        if machine.port is not Port.MAINTENANCE and mode in ("staged", "reboot"):
            return _STAGED if mode == "staged" else "Applied configuration with a reboot"
        return "Applied configuration without a reboot"

    def apply(self, machine: Machine, text: str, mode: str = "auto") -> str:
        """Take a configuration (`auto`, `no-reboot`, `reboot`, `staged`); answers what will be done, as Talos words it."""
        if mode not in ("auto", "no-reboot", "reboot", "staged"):
            raise Refused("Unimplemented", f"apply configuration --mode='{mode}' is not simulated")
        config = self._checked(machine, text)
        if machine.port is Port.MAINTENANCE:
            if config is None:
                return "Applied configuration without a reboot"
            self._close(machine)
            machine.stage = "booting"
            self._later(machine, self.delays.gap_s, "configuration applied", lambda m: self._configured(m, config))
            return "Applied configuration without a reboot"
        assert config is not None  # checked
        disk = machine.talos_disk
        if disk is not None:
            disk.config = text
        if mode == "staged":
            return _STAGED
        if mode == "reboot":
            self.reboot(machine)
            return "Applied configuration with a reboot"
        machine.config = config
        self.world.happened("talos", f"{machine.name}: configuration replaced")
        return "Applied configuration without a reboot"

    def recover(self, machine: Machine, put_back: Callable[[EtcdCluster], None]) -> None:
        """As `bootstrap`, from a snapshot: `put_back` gives the new cluster what is in that. The wish is in memory as well."""
        machine.recovering = put_back
        try:
            self.bootstrap(machine)
        except Refused:
            machine.recovering = None
            raise

    def recover_uploaded(self, machine: Machine, *, skip_hash: bool) -> None:
        """As `recover`, from the bytes that were uploaded; Talos answers before it compares their hash."""
        disk = machine.talos_disk
        content = disk.snapshot if disk is not None else None
        if content is None:
            raise Refused("FailedPrecondition", "open /var/lib/etcd.snapshot: no such file or directory")
        really = self.etcd.really_recover
        self.recover(machine, lambda cluster: really(machine, content, skip_hash) if really is not None else None)
        if not skip_hash and hashlib.sha256(content[:-32]).digest() != content[-32:]:
            self.etcd.stop(machine)
            for timer in machine.timers:
                timer.cancel()
            self.etcd.spoil(machine, "expected sha256, got another one")

    def bootstrap(self, machine: Machine) -> None:
        """Take the wish to make a new etcd; it is kept in memory only until etcd starts."""
        self._needs_secure(machine)
        if machine.service_state("cri") != "Running":
            raise Refused("FailedPrecondition", "bootstrap is not available yet")
        if not machine.control_plane:
            raise Refused("Unimplemented", "bootstrap is only available on control plane nodes")
        if not machine.time_synced:
            raise Refused("FailedPrecondition", "time is not in sync yet")
        if machine.etcd_dir is not None:
            raise Refused("AlreadyExists", "etcd data directory is not empty")
        machine.bootstrap_wanted = True
        self.world.happened("talos", f"{machine.name}: bootstrap accepted")
        self.etcd.consider(machine)

    def reboot(self, machine: Machine) -> None:
        """Go down and come up again."""
        self._needs_secure(machine)
        machine.stage = "rebooting"
        self._later(machine, self.delays.reboot_s, "reboots", self._restart)

    def shutdown(self, machine: Machine) -> None:
        """Go down and stay down."""
        self._needs_secure(machine)
        machine.stage = "shutting down"
        self._later(machine, self.delays.reboot_s, "shuts down", self._switch_off)

    def reset(self, machine: Machine, labels: Sequence[str], *, graceful: bool, reboot: bool) -> None:
        """Wipe these partitions (STATE, EPHEMERAL), or with no label the whole system disk, then reboot or switch off."""
        self._needs_secure(machine)
        check_wiped(labels)
        if graceful and machine.control_plane:
            self.etcd.leave(machine)
        machine.stage = "resetting"
        self._later(machine, self.delays.reboot_s, "resets", lambda m: self._wipe(m, tuple(labels), reboot=reboot))

    # How a machine comes up and goes down.

    def _boot(self, machine: Machine) -> None:
        machine.boots += 1
        machine.boot_id = str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))
        machine.stage = "booting"
        self.world.happened("talos", f"{machine.mac}: power on")
        self._later(machine, self.delays.boot_s, "booted", self._booted)

    def _booted(self, machine: Machine) -> None:
        disk = machine.talos_disk
        installed = disk is not None and disk.installed
        if machine.iso and not machine.stuck and not installed:
            machine.dmesg.append(f"[talos] Talos {self.version} booted")
            machine.stage = "maintenance"
            self._open(machine, Port.MAINTENANCE)
            return
        if machine.stuck or disk is None or not installed:
            machine.stuck = machine.stuck or "no bootable device"
            machine.dmesg.append(machine.stuck)
            self.world.happened("talos", f"{machine.mac}: {machine.stuck}")
            machine.stage = ""
            return
        machine.dmesg.append(f"[talos] Talos {disk.version} booted")
        config = parse(disk.config) if disk.config else None
        if config is not None:
            self._start(machine, config)
            return
        machine.stage = "maintenance"
        self._open(machine, Port.MAINTENANCE)

    def _configured(self, machine: Machine, config: MachineConfig) -> None:
        disk = machine.talos_disk
        if disk is not None and disk.installed:
            disk.config = config.text
            self._start(machine, config)
            return
        machine.config = config
        machine.stage = "installing"
        self._open(machine, Port.SECURE)
        self._later(machine, self.delays.install_s, "installed", self._installed)

    def _installed(self, machine: Machine) -> None:
        if machine.config is None:
            raise RuntimeError(f"{machine.mac} was installed without a configuration")
        for disk in machine.disks:
            if disk.device == machine.config.install_disk:
                disk.data[TALOS_KEY] = TalosDisk(self.version, installed=True, config=machine.config.text)
        self._restart(machine)

    def _start(self, machine: Machine, config: MachineConfig) -> None:
        machine.config = config
        machine.stage = "booting"
        names = CONTROL_PLANE_SERVICES if config.control_plane else WORKER_SERVICES
        machine.services = {name: Service(name) for name in names}
        for name in names:
            if name in AT_ONCE:
                machine.services[name].turn("Running", f"Started task {name}", self.world.clock.now())
        self.world.happened("talos", f"{machine.name}: runs its configuration")
        if config.control_plane:
            self._open(machine, Port.SECURE)
        self._later(machine, self.delays.kubelet_s, "kubelet starts", self._kubelet)
        self.settle()

    def _kubelet(self, machine: Machine) -> None:
        machine.services["kubelet"].turn("Running", "Started task kubelet", self.world.clock.now())
        for hook in self.on_kubelet:
            hook(machine)

    def _admit_worker(self, machine: Machine) -> None:
        """A worker's API opens once a control plane of the same CA has signed its certificate."""
        config = machine.config
        if config is None or config.control_plane or machine.port is not Port.CLOSED or not machine.services:
            return
        signers = [m.config for m in self.machines.values() if m.control_plane and m.port is Port.SECURE]
        if any(signer is not None and signer.os_ca.crt == config.os_ca.crt for signer in signers):
            self._open(machine, Port.SECURE)

    def _stage(self, machine: Machine) -> None:
        if machine.stage != "booting" or not machine.services:
            return
        if all(self.service_healthy(machine, name) for name in machine.services):
            machine.stage = "running"

    def _restart(self, machine: Machine) -> None:
        self._dark(machine)
        self._boot(machine)

    def _switch_off(self, machine: Machine) -> None:
        machine.powered = False
        self._dark(machine)
        for hook in self.on_guest_off:
            hook(machine)

    def _wipe(self, machine: Machine, labels: tuple[str, ...], *, reboot: bool) -> None:
        disk = machine.system_disk
        self.etcd.stop(machine)
        if "EPHEMERAL" in labels or not labels:
            self.etcd.wipe(machine)
        if disk is not None and disk.talos is not None:
            if "STATE" in labels:
                disk.talos.config = ""
            if not labels:
                disk.data[TALOS_KEY] = None  # kept as a key: what the image brought does not come back
        self.world.happened("talos", f"{machine.name}: wiped {', '.join(labels) or 'the system disk'}")
        if reboot:
            self._restart(machine)
        else:
            self._switch_off(machine)

    def _dark(self, machine: Machine) -> None:
        for timer in machine.timers:
            timer.cancel()
        machine.timers.clear()
        self.etcd.stop(machine)
        for hook in self.on_down:
            hook(machine)
        machine.config, machine.stage = None, ""
        machine.stuck = machine.stuck if machine.powered else ""
        machine.services = {}
        self._close(machine)
        self.world.happened("talos", f"{machine.mac}: dark")

    def _open(self, machine: Machine, port: Port) -> None:
        machine.port = port
        for hook in self.on_port:
            hook(machine)

    def _close(self, machine: Machine) -> None:
        self._open(machine, Port.CLOSED)

    def _later(self, machine: Machine, seconds: float, what: str, act: Hook) -> None:
        def run() -> None:
            act(machine)
            self.settle()

        machine.timers.append(self.world.after(seconds, f"{machine.name}: {what}", run))

    def _needs_secure(self, machine: Machine) -> None:
        if machine.port is not Port.SECURE:
            raise Refused("PermissionDenied", "not authorized")

    def _checked(self, machine: Machine, text: str) -> MachineConfig | None:
        try:
            config = parse(text)
        except ConfigRefused as refusal:
            raise Refused("InvalidArgument", str(refusal)) from refusal
        if config is None and machine.port is not Port.MAINTENANCE:
            raise Refused(
                "InvalidArgument",
                "the applied machine configuration doesn't contain v1alpha1 config, "
                "did you mean to patch the machine config instead?",
            )
        if config is not None and config.install_disk and config.install_disk not in {d.device for d in machine.disks}:
            raise Refused("InvalidArgument", f"specified install disk does not exist: {config.install_disk!r}")
        return config
