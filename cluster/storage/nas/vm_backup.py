"""How old the newest backup of a NAS's own VM is, by vzdump or on a Proxmox Backup Server: without one it comes back by hand alone,
piece by piece. What was passed through to the VM is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.proxmox.results import VmBackups
from cluster.storage.findings import Finding, Weight, fine, yet_to_come
from cluster.storage.nas.row import NasRow
from engine.step import Severity, StepId
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import some
from house.values.nas import Nas

_NAMED = 3
_PART = "backup of the VM"


@dataclass(frozen=True)
class VmBackedUp(NasRow):
    """One NAS that is a VM. It stops no run, and is drift of the house: it is found out on the worst day else."""

    severity = Severity.WATCHED
    sight_s = 15.0

    @property
    def id(self) -> StepId:
        return StepId(f"storage.nas/{self.nas.name}.vm-backup")

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name}: its VM {self.nas.vm} is backed up"

    def findings(self, look: LookContext) -> Sequence[Finding]:
        return [*backup_findings(self.nas, look.proxmox.backups(self.nas.vm), look.clock.now())]

    def by_hand(self) -> str:
        return f"pvesm status --content backup && pvesm list STORAGE --content backup --vmid {self.nas.vm}   # the newest"


def backup_findings(nas: Nas, seen: VmBackups, now: float) -> Iterator[Finding]:
    """`now`: epoch seconds. A storage that was not looked at may hold a newer one, and one without a date may be it: then nobody
    knows."""
    command = f"pvesm list STORAGE --content backup --vmid {nas.vm}"
    whole = [one for one in seen.found if one.verified != "failed"]
    undated = [f"{one.volume}, which bears no date" for one in whole if one.made is None]
    unseen = some((*seen.unseen, *undated), _NAMED)
    sound = [one for one in whole if one.made is not None]
    bad = [one for one in seen.found if one.verified == "failed"]
    may = f"VM.Backup on /vms/{nas.vm} and Datastore.AllocateSpace show them to the token (SECURITY.md); "
    lacking = may if seen.unseen else ""
    hint = f"{lacking}back it up (Datacenter > Backup), or nas.{nas.name}.vm_backup_age: any where none is wanted"
    if not sound:
        where = f"on {some(seen.listed, _NAMED)}" if seen.listed else "for no storage of the hosts that was seen holds backups"
        damaged = f" but {bad[-1].volume}, which its server finds damaged" if bad else ""
        told = f"of VM {nas.vm} there is none{damaged}, {where}"
        weight = Weight.UNKNOWN if unseen else Weight.BLOCKS
        yield Finding(_PART, weight, f"{told}; not looked at: {unseen}" if unseen else told, hint=hint, command=command)
        return
    newest = sound[-1]
    assert newest.made is not None  # it is sound
    if (age := age_of(newest.made, now)) is None:
        yield yet_to_come(_PART, newest.volume, newest.made)
        return
    told = f"{newest.volume} is the newest that is not known to be damaged, {span(age)} old"
    if age > nas.vm_backup_age:
        told = f"{told}, and {span(nas.vm_backup_age)} is the limit"
        weight = Weight.UNKNOWN if unseen else Weight.BLOCKS
        told = f"{told}; not looked at: {unseen}" if unseen else told
        yield Finding(_PART, weight, told, since=newest.made, hint=hint, command=command)
    elif bad and (bad[-1].made or 0.0) > newest.made:
        yield Finding(_PART, Weight.BLOCKS, f"{bad[-1].volume}, the newest, is damaged by its server's word", "failed", hint=hint)
        yield fine(_PART, told)
    elif unseen:
        yield Finding(_PART, Weight.NOTED, f"{told}; not looked at: {unseen}")
    else:
        yield fine(_PART, f"{newest.volume}, {span(age)} old")
