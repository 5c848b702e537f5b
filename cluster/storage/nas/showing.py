"""Whether what is seen at a folder of a NAS is what lies on it: a backup that was not found there may only not be shown.

Asked where nothing was found, and then once for each NAS. Starts and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.backups.results import Verdict
from adapters.nas.port import NasView
from adapters.nas.results import NasLook, Unheard
from adapters.nas.wanted import below, dataset_at, lost_at
from adapters.ports import ProxmoxView
from cluster.backups.audit import ClaimAudit
from cluster.storage.findings import Finding, Weight
from cluster.storage.nas.machine import with_machine
from cluster.storage.nas.pools import of_dataset
from cluster.storage.nas.shares import export_findings
from cluster.storage.nas.uses import backup_path, waiting
from house.model import House
from house.values.nas import Export, Nas, NasExport

_READABLE = ("ONLINE", "DEGRADED")
_NOT_FOUND = (Verdict.MISSING, Verdict.EMPTY, Verdict.UNREACHABLE)


@dataclass(frozen=True)
class Away:
    """A NAS that gave no answer while backups on it were looked for: what was seen of it, what helps, whose backups wait for it."""

    nas: str
    told: str
    hint: str
    waiting: tuple[str, ...]


class Showing:
    """The NAS of a house, as audits need them. Safe to use from many threads."""

    def __init__(self, house: House, boxes: NasView, proxmox: ProxmoxView) -> None:
        self._house, self._boxes, self._proxmox = house, boxes, proxmox
        self._guard = threading.Lock()
        self._seen: dict[str, NasLook] = {}

    def judged(self, audit: ClaimAudit) -> ClaimAudit:
        """The same audit; of a backup that was not found where its NAS shows nothing of it, nothing is known."""
        if audit.verdict not in _NOT_FOUND:
            return audit
        for nas in self._house.nas:
            if path := backup_path(nas, audit.claim):
                found = not_shown(nas, self._look(nas), path, ssh=audit.claim.open_as.startswith("sftp:"))
                if found is not None:
                    told = f"NAS {nas.name}: {found.detail}; seen from here: {audit.detail or audit.verdict.value}"
                    return replace(audit, verdict=Verdict.UNREACHABLE, detail=told, hint=found.hint or audit.hint)
        return audit

    def away(self) -> tuple[Away, ...]:
        """Those of the NAS asked so far that gave no answer."""
        return tuple(
            Away(nas.name, f"{trouble.trouble.value}: {trouble.detail}", trouble.hint, waiting(nas, self._house.claims))
            for nas in self._house.nas if nas.name in self._seen and (trouble := self._seen[nas.name].trouble) is not None
        )  # fmt: skip

    def _look(self, nas: Nas) -> NasLook:
        with self._guard:
            if nas.name not in self._seen:
                self._seen[nas.name] = with_machine(nas, self._boxes.look(nas), self._proxmox)
            return self._seen[nas.name]


def not_shown(nas: Nas, look: NasLook, path: str, *, ssh: bool) -> Finding | None:
    """Why what is seen at a folder of a NAS is not what lies there, None where it is. A sick pool shows what it has all the same.

    `ssh`: it is seen by that, and not through an export.
    """
    part = f"folder {path}"
    if look.trouble is not None:
        return Finding(part, Weight.UNKNOWN, f"{look.trouble.trouble.value}: {look.trouble.detail}", hint=look.trouble.hint)
    if look.state not in ("", "READY"):
        return Finding(part, Weight.UNKNOWN, f"it is {look.state}: what it shows may be another thing in a minute", look.state)
    if isinstance(look.datasets, Unheard):
        return Finding(part, Weight.UNKNOWN, f"whether its dataset is mounted is not known: {look.datasets.why}")
    if lost := lost_at(nas, path, look.datasets):
        return Finding(part, Weight.UNKNOWN, f"dataset {lost} is not there{_pool(look, lost)}: {path} is a folder without it")
    dataset = dataset_at(path, look.datasets)
    if dataset is None:
        return Finding(part, Weight.UNKNOWN, f"no dataset is at {path}{_pool(look, path.removeprefix('/mnt/'))}")
    state = of_dataset(dataset)
    if state.weight in (Weight.BLOCKS, Weight.UNKNOWN):
        return replace(state, part=part, weight=Weight.UNKNOWN, detail=f"dataset {dataset.name} {state.detail}")
    return None if ssh else _first(export_findings(nas, look, _over(nas, path)))


def _over(nas: Nas, path: str) -> list[NasExport]:
    """The exports that what movers see there comes through."""
    return [one for one in nas.exports if one.kind is Export.NFS and one.movers and below(path, one.place)]


def _first(found: Iterable[Finding]) -> Finding | None:
    bad = next((one for one in found if one.weight in (Weight.BLOCKS, Weight.UNKNOWN)), None)
    return None if bad is None else replace(bad, weight=Weight.UNKNOWN, detail=f"{bad.part} {bad.detail}")


def _pool(look: NasLook, name: str) -> str:
    """`, and pool tank is OFFLINE` where that is why."""
    pool = name.split("/")[0]
    status = next((one.status for one in look.pools if one.name == pool), "") if not isinstance(look.pools, Unheard) else ""
    return f", and pool {pool} is {status}" if status and status not in _READABLE else ""
