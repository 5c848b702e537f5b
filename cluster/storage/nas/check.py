"""The rows of each NAS: in `cluster.verify` one for each part, before a restore one for each folder that it will read from."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.context import LookContext
from adapters.nas.port import NasView
from adapters.ports import ProxmoxView
from cluster.storage.findings import Finding, Weight
from cluster.storage.gate import Gate
from cluster.storage.nas.judge import Part, findings, source_findings
from cluster.storage.nas.machine import with_machine
from cluster.storage.nas.row import NasRow
from cluster.storage.nas.uses import backup_path, by_sftp, root_of, waiting
from cluster.storage.nas.vm_backup import VmBackedUp
from engine.probe import Probe, satisfied
from engine.step import BaseCheck, Severity, StepId, if_any
from house.model import BackedUpClaim, House
from house.values.nas import Nas

_SEEN = {
    Part.ANSWERS: "it opens",
    Part.POOLS: "Storage: every pool is online, with room",
    Part.SCRUBS: "Storage: each pool's last scrub is recent and found nothing",
    Part.DATASETS: "Datasets: each is there and unlocked",
    Part.EXPORTS: "Shares: each is there and enabled",
    Part.SERVICES: "System > Services: those of the shares run",
    Part.SNAPSHOTS: "Data Protection: each snapshot task ended well, lately",
    Part.REPLICATION: "Data Protection: each replication task ended well, lately",
    Part.DISKS: "Storage > Disks, and the bell on top: no disk is complained of",
    Part.ALERTS: "the bell on top: no alert",
}
"""What a person sees in the NAS's web page where a part is as it should be."""


@dataclass(frozen=True)
class NasPart(NasRow):
    """One part of one NAS. It stops no run that does not read from it, and is drift of the house."""

    part: Part
    waiting: tuple[str, ...] = ()
    ssh: bool = False
    severity = Severity.WATCHED
    sight_s = 15.0

    @property
    def id(self) -> StepId:
        return StepId(f"storage.nas/{self.nas.name}.{self.part.value}")

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name}: {'it answers' if self.part is Part.ANSWERS else self.part.value}"

    @property
    def needs(self) -> tuple[str, ...]:
        if self.part is Part.ANSWERS:
            return (if_any(f"nas.start/{self.nas.name}"),)
        return (f"storage.nas/{self.nas.name}.{Part.ANSWERS.value}",)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        seen = with_machine(self.nas, look.nas.look(self.nas), look.proxmox)
        return findings(self.part, self.nas, seen, look.clock.now(), self.waiting, ssh=self.ssh)

    def by_hand(self) -> str:
        return nas_by_hand(self.nas, _SEEN[self.part])


@dataclass(frozen=True)
class NasFolder(NasRow):
    """What a restore from one folder of a NAS stands on. Whoever restores from another is not kept back."""

    path: str
    ssh: bool
    risk = "reading from it may finish what is left of it, which may be the only copy"

    @property
    def id(self) -> StepId:
        return StepId(f"storage.nas/{self.nas.name}.under{self.path.replace('/', '-')}")

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any(f"nas.start/{self.nas.name}"),)

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name}: all that {self.path} lies on is whole"

    def findings(self, look: LookContext) -> Sequence[Finding]:
        found = source_findings(self.nas, with_machine(self.nas, look.nas.look(self.nas), look.proxmox), self.path, ssh=self.ssh)
        return [accepted(self.nas, one) for one in found]

    def by_hand(self) -> str:
        what = f"the pool of {self.path} is healthy, its dataset unlocked and mounted, its share and the share's service on"
        return nas_by_hand(self.nas, what)


@dataclass(frozen=True)
class LiesOn(BaseCheck):
    """Where one claim's backup lies; that this is sound its need says."""

    claim: BackedUpClaim
    folder: NasFolder

    @property
    def id(self) -> StepId:
        return StepId(f"storage.source/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"what the backup of {self.claim.key} lies on"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.folder.id,)

    def probe(self, look: LookContext) -> Probe:
        return satisfied(f"NAS {self.folder.nas.name}, {self.folder.path}")

    def by_hand(self) -> str:
        return self.folder.by_hand()


def accepted(nas: Nas, finding: Finding) -> Finding:
    """At a gate: what blocks is only told where the settings accept just that, else it says how. Unknown is never accepted.

    A degraded pool may hold the only copy. What is accepted is named with its code: when it gets worse, it is another.
    """
    if finding.weight is not Weight.BLOCKS:
        return finding
    key = " ".join(filter(None, (finding.part, finding.code)))
    reason = dict(nas.accepted).get(key)
    if reason:
        return replace(finding, weight=Weight.NOTED, detail=f"{finding.detail}; accepted: {reason}")
    way = f'to restore from it all the same, and risk what it still holds: nas.{nas.name}.accepted: {{"{key}": WHY}}'
    return replace(finding, hint="; ".join(filter(None, (finding.hint, way))))


def nas_checks(house: House) -> Iterator[NasPart | VmBackedUp]:
    """A row for each part of each NAS of the settings, and for the backup of the VM that it is."""
    for nas in house.nas:
        if nas.vm and nas.vm_backup_age:
            yield VmBackedUp(nas)
        claims, ssh = waiting(nas, house.claims), by_sftp(nas, house.claims)
        for part in Part:
            yield NasPart(nas, part, claims, ssh)


def source_checks(house: House, claims: Iterable[BackedUpClaim]) -> Iterator[Gate | LiesOn]:
    """For each of these claims whose backup lies on a NAS of the settings: where, and once for each place what it stands on.

    One that has several places is not kept back by one of them: its restore passes that over.
    """
    made: dict[str, NasFolder] = {}
    for claim in (one for one in claims if len(one.sources) == 1):
        for nas in house.nas:
            path = backup_path(nas, claim)
            if not path:
                continue
            folder = NasFolder(nas, root_of(nas, path), claim.open_as.startswith("sftp:"))
            if folder.id not in made:
                made[folder.id] = folder
                yield Gate(folder)
            yield LiesOn(claim, made[folder.id])
            break


def unsound_places(house: House, claim: BackedUpClaim, boxes: NasView, proxmox: ProxmoxView) -> dict[str, str]:
    """Of a claim with several places those on a NAS of the settings that is not whole below them: Secret → why."""
    told: dict[str, str] = {}
    for place in claim.sources if len(claim.sources) > 1 else ():
        for nas in house.nas:
            if path := backup_path(nas, place):
                seen = with_machine(nas, boxes.look(nas), proxmox)
                found = source_findings(nas, seen, root_of(nas, path), ssh=place.open_as.startswith("sftp:"))
                bad = [one for one in (accepted(nas, each) for each in found) if one.weight in (Weight.BLOCKS, Weight.UNKNOWN)]
                if bad:
                    told[place.repository_secret] = f"NAS {nas.name}: {'; '.join(one.detail for one in bad)}"
    return told


def nas_by_hand(nas: Nas, what: str) -> str:
    """How a person looks: that the server is the one of the settings, and then its own web page, which asks for no root."""
    if nas.ca_file:
        known, sign = f"curl -sS --cacert {shlex.quote(nas.ca_file)} https://{nas.address}/api/versions", "versions"
    else:
        shown = "openssl x509 -noout -fingerprint -sha256"
        known = f"openssl s_client -connect {nas.address} </dev/null 2>/dev/null | {shown}"
        sign = nas.fingerprint
    return f"{known}   # {sign}; then in its web page: {what}"

