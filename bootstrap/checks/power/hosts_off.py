"""What goes off with a house's hosts, host by host and NAS by NAS, which only a person can want. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.ports import ProxmoxView
from adapters.proxmox.results import PowerState
from bootstrap.checks.proxmox.privileges import Privileges, granting
from bootstrap.steps.hold_ceph import WANTED
from cluster.machines.parting import Parting, is_nas, strangers
from cluster.storage.ceph.judge import flags_of
from engine.errors import BlackstartError, PermanentError
from engine.probe import Probe, Risk, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House
from house.values.nas import Nas

ONLY_A_HAND = "only its own button or a host that is on brings it back"
SET, UNSET = ("; ".join(f"ceph osd {word} {flag}" for flag in WANTED) for word in ("set", "unset"))
"""What a person tells the hosts' own Ceph before they go off, and when all are on again."""


@dataclass(frozen=True)
class HostOff(Risk):
    """One host that goes off, and the guests of others that it ends with it."""

    host: str
    guests: tuple[str, ...]

    def __str__(self) -> str:
        ended = f", and ends {', '.join(self.guests)} with it" if self.guests else ""
        return f"{self.host} goes off{ended}: {ONLY_A_HAND}"


@dataclass(frozen=True)
class NasOff(Risk):
    """A NAS whose VM is shut down, whoever uses it."""

    nas: str
    vm_id: int

    def __str__(self) -> str:
        return f"NAS {self.nas} (VM {self.vm_id}) is shut down: nothing that is on it is there for anybody"


@dataclass(frozen=True)
class CephOff(Risk):
    """The hosts' own Ceph, which was not told to wait for them, or nobody knows whether."""

    told: str

    def __str__(self) -> str:
        return f"{self.told}: OSDs that are off for ten minutes are given up, and their data moved"


@dataclass(frozen=True)
class MayGoOff(BaseCheck):
    """One host: off already, or by consent. All that runs on it must be seen, and nothing of it be watched by Proxmox' HA."""

    house: House
    host: str

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.host-off/{self.host}")

    @property
    def title(self) -> str:
        return f"{self.host} may go off"

    def probe(self, look: LookContext) -> Probe:
        cluster = look.proxmox.cluster()
        if self.host in cluster.offline:
            return satisfied(f"off already, as far as {cluster.asked or 'the others'} can see")
        if lacking := _lacking(look.proxmox, self.house, (("/vms", "VM.Audit"), (f"/nodes/{self.host}", "Sys.PowerMgmt"))):
            return lacking
        here = [vm for vm in look.proxmox.vms() if vm.host == self.host]
        if tended := [vm.vm_id for vm in here if vm.ha]:
            raise PermanentError(
                f"the HA of Proxmox watches {', '.join(f'vm:{one}' for one in tended)} on {self.host}",
                evidence=("a host with watched guests that loses the majority of the others resets itself in the middle of this",),
                hint=f"first, for each: ha-manager set vm:{tended[0]} --state ignored (ct: of a container); after: --state started",
            )
        guests = strangers(look.proxmox, self.house, self.host)
        at_work = tuple(
            f"at work there: {task.kind} {task.target}".rstrip()
            for task in look.proxmox.running_tasks() if task.ref.host == self.host
        )  # fmt: skip
        told = f"it is on, with {', '.join(guests) or 'nothing of others'} on it"
        return missing(told, *at_work, identity=HostOff(self.host, guests))

    def by_hand(self) -> str:
        return f"qm list; pct list   # on {self.host}: what else runs there"


@dataclass(frozen=True)
class NasMayGoOff(BaseCheck):
    """One NAS that is a VM: off already, or by consent, for it may serve others too."""

    house: House
    nas: Nas

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.nas-off/{self.nas.name}")

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name} may be shut down"

    def probe(self, look: LookContext) -> Probe:
        found = next((vm for vm in look.proxmox.vms() if is_nas(vm, self.nas)), None)
        if found is None:
            return satisfied(f"Proxmox shows no VM {self.nas.vm} {self.nas.vm_name}: what has that id is somebody else's")
        if not found.readable and found.host not in look.proxmox.cluster().offline:
            return unknown(f"VM {found.vm_id} on {found.host} cannot be read: it may be coming or going")
        if not found.readable:
            return satisfied(f"{found.host}, which it is on, is off, or out of sight")
        if found.power is PowerState.STOPPED:
            return satisfied(f"VM {found.vm_id} is off")
        if lacking := _lacking(look.proxmox, self.house, ((f"/vms/{found.vm_id}", "VM.PowerMgmt"),)):
            return lacking
        return missing(f"VM {found.vm_id} runs on {found.host}", identity=NasOff(self.nas.name, found.vm_id))


@dataclass(frozen=True)
class CephMayGoOff(BaseCheck):
    """The Ceph of the hosts' own, where they have one: it was told to give up no OSD meanwhile."""

    id = StepId("preflight.hosts-ceph")
    title = "the hosts' own Ceph waits for them"

    def probe(self, look: LookContext) -> Probe:
        try:
            found = look.proxmox.ceph()
        except BlackstartError as error:
            asked = CephOff("whether the hosts' own Ceph was told to wait is not known")
            return missing("it cannot be asked", error.as_told().what, hint=f"on one of the hosts: {SET}", identity=asked)
        if found is None:
            return satisfied("the hosts have none")
        flags = [flag for check in found.status.checks or () for flag in flags_of(check)]
        if "noout" in flags:
            return satisfied(f"it was told to: {', '.join(flags)}", f"when all hosts are on again: {UNSET}")
        asked = CephOff("the hosts' own Ceph was not told to wait")
        return missing("noout is not set", hint=f"on one of them: {SET}; when all are on again: {UNSET}", identity=asked)


def _lacking(proxmox: ProxmoxView, house: House, wanted: Sequence[tuple[str, str]]) -> Probe | None:
    """A no without a way past it: what may not be seen, or switched, is not switched."""
    if not (lacking := proxmox.missing_privileges(wanted)):
        return None
    token = house.proxmox.token_id
    # With all that a run needs there: what is said of a path takes away what was inherited from above.
    hint = f"on any Proxmox host: {granting(token, lacking, (*Privileges(house).wanted(), *wanted))}"
    return missing(f"the token {token} lacks {number(len(lacking), 'privilege')}", *lacking, hint=hint)


def checks(house: House, going: Parting) -> Iterator[MayGoOff | NasMayGoOff | CephMayGoOff]:
    """One for each host and each NAS in a VM, and one for their Ceph."""
    for host in going.hosts:
        yield MayGoOff(house, host)
    for nas in house.nas:
        if nas.vm:
            yield NasMayGoOff(house, nas)
    yield CephMayGoOff()


def ids(house: House, going: Parting) -> tuple[str, ...]:
    """What must have been consented to before anything stops."""
    return tuple(check.id for check in checks(house, going))
