"""Which NAS a run starts, and whether it may: what that needs are two privileges and quorum, and nothing else of the house."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.nas.results import NasLook, Trouble
from adapters.proxmox.results import PowerState
from cluster.storage.nas.machine import machine_of
from cluster.storage.nas.uses import waiting
from engine.errors import PermanentError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import BackedUpClaim, House
from house.values.nas import Nas

_TOLD_BY_IT = frozenset({
    Trouble.KEY, Trouble.EXPIRED, Trouble.DENIED, Trouble.SHUT_OUT, Trouble.STANDBY, Trouble.BUSY, Trouble.TOO_MUCH,
})  # fmt: skip


def is_up(look: NasLook) -> bool:
    """Whether it runs for sure: it answered, and showed the right certificate, whatever else it said."""
    return look.trouble is None or look.trouble.trouble in _TOLD_BY_IT


def to_start(house: House, claims: Iterable[BackedUpClaim], *, mounts: bool = False) -> tuple[Nas, ...]:
    """Each NAS that is a VM and that a backup of these claims lies on; with `mounts` also one whose exports the house uses."""
    chosen = tuple(claims)
    return tuple(nas for nas in house.nas if nas.vm and (waiting(nas, chosen) or (mounts and nas.exports)))


@dataclass(frozen=True)
class StopsNothing(Identity):
    """What is wrong keeps no run of today back (it runs, or starts all the same), and is found out on the worst day."""

    nas: str

    def __str__(self) -> str:
        return f"NAS {self.nas} is there today"


@dataclass(frozen=True)
class MayStart(BaseCheck):
    """One NAS's VM: it is the one of the settings, the token may see and start it, and a majority of the Proxmox hosts is there."""

    house: House
    nas: Nas

    @property
    def id(self) -> StepId:
        return StepId(f"nas.may-start/{self.nas.name}")

    @property
    def title(self) -> str:
        return f"VM {self.nas.vm} of NAS {self.nas.name} may be started"

    def severity_of(self, seen: Probe) -> Severity:
        """What need not be started now stops no run, and is drift of the house."""
        return Severity.WATCHED if isinstance(seen.identity, StopsNothing) else self.severity

    def probe(self, look: LookContext) -> Probe:
        needless = StopsNothing(self.nas.name) if is_up(look.nas.look(self.nas)) else None
        wanted = [("/", "Sys.Audit"), (f"/vms/{self.nas.vm}", "VM.Audit"), (f"/vms/{self.nas.vm}", "VM.PowerMgmt")]
        if lacking := look.proxmox.missing_privileges(wanted):
            token = self.house.proxmox.token_id
            return missing(f"the token {token} lacks {number(len(lacking), 'privilege')}", *lacking, identity=needless)
        cluster = look.proxmox.cluster()
        if not cluster.quorate:
            gone = f"offline: {', '.join(cluster.offline) or 'none'}"
            return missing("the Proxmox cluster has no quorum: it starts no VM", gone, hint="bring hosts back", identity=needless)
        try:
            vm = machine_of(self.nas, look.proxmox)
        except PermanentError as wrong:
            return missing(wrong.what, *wrong.evidence, hint=wrong.hint, identity=needless)
        if needless is not None and vm.power is PowerState.STOPPED:
            told = f"NAS {self.nas.name} answers, and VM {vm.vm_id} {vm.name} is off: it is another one"
            hint = f"nas.{self.nas.name}.vm names the VM that it is, or is left out for a machine"
            return missing(told, hint=hint, identity=needless)
        if loose := [one for one in vm.passed if "/dev/" in one and "/dev/disk/by-id/" not in one]:
            told = f"VM {vm.vm_id} has disks of {vm.host} by names that another boot, or another host, gives to other disks"
            hint = f"qm set {vm.vm_id} -SLOT /dev/disk/by-id/ID   # while it is off"
            return missing(told, *loose, hint=hint, identity=StopsNothing(self.nas.name))
        return satisfied(f"VM {vm.vm_id} is {vm.name}, on {vm.host}; the privileges are there, and quorum", *vm.passed)

    def by_hand(self) -> str:
        token = self.house.proxmox.token_id.replace("!", " ")
        return f"pvecm status && pveum user token permissions {token} --path /vms/{self.nas.vm}   # VM.Audit and VM.PowerMgmt"


def may_start(house: House, wanted: Iterable[Nas]) -> Iterator[MayStart]:
    """One for each of these."""
    for nas in wanted:
        yield MayStart(house, nas)
