"""Give each node its machineconfig: to a node in maintenance, or to one of ours that differs. Never to a stranger's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.talos.results import Phase
from bootstrap.needs import BEFORE_THE_CLUSTER
from cluster.machines.vms import disk_sizes, find_vm
from engine.errors import PermanentError, TransientError
from engine.probe import Condition, Identity, Probe, changing, drifted, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import House, Node

_ROUNDING = 0.01  # Proxmox writes sizes down in whole units, storages allocate in theirs


@dataclass(frozen=True)
class Reconfigured(Identity):
    """A node that serves, the digest of the machineconfig that it gets, and what it calls itself where that is another name."""

    node: str
    machineconfig: str
    hostname: str

    @property
    def words(self) -> tuple[str, ...]:
        """What differs, for a person."""
        called = (f"it calls itself {self.hostname}",) if self.hostname else ()
        return "machineconfig", f"to {self.machineconfig[:12]}", *called

    def __str__(self) -> str:
        return f"{self.node} may restart: {' '.join(self.words)}"


@dataclass(frozen=True)
class Installed(Identity):
    """A machine of metal in maintenance, by its address and the sizes of its disks: Talos is installed over one of them."""

    node: str
    address: str
    disks: str

    @property
    def words(self) -> tuple[str, ...]:
        """What happens to it, for a person."""
        return (f"the machine at {self.address} with disks of {self.disks} becomes {self.node}, and is installed over",)

    def __str__(self) -> str:
        return self.words[0]


@dataclass(frozen=True)
class ApplyConfig(BaseStep):
    """One node running exactly the rendered machineconfig."""

    house: House
    node: Node
    standing = True
    system = "talos"  # one for all nodes: what disturbs a node waits for what disturbs another

    @property
    def id(self) -> StepId:
        return StepId(f"talos.apply-config/{self.node.name}")

    @property
    def title(self) -> str:
        return f"{self.node.name} configured"

    @property
    def needs(self) -> tuple[str, ...]:
        on = f"preflight.host/metal.{self.node.name}" if self.node.metal else f"proxmox.start-vm/{self.node.name}"
        return (BEFORE_THE_CLUSTER, "talos.render-configs", on)

    @property
    def sight_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def ready_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def inputs(self) -> str:
        return f"{self.node.name} {self.node.address}"

    def hazard(self, seen: Probe) -> Hazard:
        if isinstance(seen.identity, Installed):
            return Hazard.DESTROYS
        return Hazard.DISRUPTS if seen.identity is not None else Hazard.NONE

    def guarded(self, seen: Probe) -> bool:
        # A machine that waits to be set up is no member of etcd, and cannot even be asked for one: as with a VM in maintenance.
        return not isinstance(seen.identity, Installed)

    def probe(self, look: LookContext) -> Probe:
        phase = look.talos.phase(self.node.address)
        if phase is Phase.UNREACHABLE:
            hint = "" if self.node.metal else (
                f"where VM {self.node.vm_id} runs, it has another address: its console says which (Proxmox, VM > Console); have "
                f"DHCP give {self.node.address} to {self.node.mac}"
            )
            return unknown(f"no Talos API answers at {self.node.address}", hint=hint)
        if phase is Phase.FOREIGN:
            raise PermanentError(
                f"{self.node.address} is a Talos node of another cluster",
                evidence=("its certificate is signed by a CA that is not in our secrets bundle",),
                hint="find out whose machine this is; if it is this node with an older bundle, restore that bundle",
            )
        if phase is Phase.MAINTENANCE:
            return self._bare(look)
        state = look.talos.machine(self.node.address)
        if state.stage in ("installing", "upgrading", "rebooting", "shuttingDown", "resetting"):
            return changing(f"{self.node.name} is {state.stage}")
        wanted = look.machineconfigs.digest(self.node.name)
        if look.talos.applied_digest(self.node.address) != wanted:
            # The consent is to this machineconfig and no other, and to the machine that a person means by the name.
            change = Reconfigured(self.node.name, wanted, self._called(look.talos.hostname(self.node.address)))
            return drifted(f"{self.node.name} runs another machineconfig", *change.words, identity=change)
        return satisfied(f"{self.node.name} runs its machineconfig")

    def _bare(self, look: LookContext) -> Probe:
        """A machine in maintenance has no name and no certificate of ours: the disks of our VM are how it is known.

        It may have more (a controller that is passed through), and a disk whose size Proxmox does not tell proves nothing. Of a
        machine of metal no file says what it is: a person does, by a consent that names its disks.
        """
        if self.node.metal:
            disks = _sizes(sorted(disk.size for disk in look.talos.disks(self.node.address)))
            first = Installed(self.node.name, self.node.address, disks)
            return missing(f"{self.node.name} is in maintenance: {disks}", *first.words, identity=first)
        vm = find_vm(look.proxmox, self.house, self.node)
        if vm is None:
            return unknown(f"a machine in maintenance answers at {self.node.address}, and VM {self.node.vm_id} is not there")
        ours = sorted(size for size in disk_sizes(look.proxmox, vm).values() if size)
        seen = sorted(disk.size for disk in look.talos.disks(self.node.address))
        if _all_among(ours, seen):
            return missing(f"{self.node.name} is in maintenance")
        return unknown(
            f"the machine in maintenance at {self.node.address} has other disks than VM {self.node.vm_id}",
            f"it has {_sizes(seen)}", f"the VM has {_sizes(ours)}",
            hint="see which machine has this address; it would get this node's machineconfig and be installed over",
        )  # fmt: skip

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        maintenance = act.talos.phase(self.node.address) is Phase.MAINTENANCE
        if maintenance is not (seen.condition is Condition.MISSING):
            # What was looked at in maintenance had no guard and needed no consent: neither holds for a machine that serves.
            raise TransientError(f"{self.node.name} went into or out of maintenance while it was looked at")
        act.talos.apply_config(self.node.address, self.node.name, maintenance=maintenance)

    def _called(self, hostname: str) -> str:
        """What the machine at the node's address calls itself, where that is another name. Another node of ours is refused."""
        if not hostname or hostname == self.node.name:
            return ""
        if hostname in {node.name for node in self.house.nodes}:
            raise PermanentError(
                f"{hostname} answers at {self.node.address}, the address of {self.node.name}",
                evidence=("it would get another node's machineconfig",),
                hint="see which machine has which address (DHCP reservations, ipAddress in talconfig.yaml)",
            )
        return hostname

    def by_hand(self) -> str:
        cluster = self.house.cluster  # talhelper names its files by cluster and node
        file = cluster.talconfig.parent / "clusterconfig" / f"{cluster.name}-{self.node.name}.yaml"
        return f"talosctl apply-config --insecure -n {self.node.address} -f {file}   # one that serves: not --insecure"


def _all_among(ours: list[int], seen: list[int]) -> bool:
    """Whether each of ours is a disk of its own among those that were seen; both in order of size."""
    left = iter(seen)
    return all(any(abs(size - other) <= size * _ROUNDING for other in left) for size in ours)


def _sizes(sizes: list[int]) -> str:
    return ", ".join(f"{size >> 30} GiB" if size % (1 << 30) == 0 else f"{size >> 20} MiB" for size in sizes) or "none"


def steps(house: House) -> Iterator[ApplyConfig]:
    """One for every node."""
    for node in house.nodes:
        yield ApplyConfig(house, node)
