"""A look at a NAS as findings, part by part: each part is a row of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from adapters.nas.results import NasLook, Unheard
from adapters.nas.wanted import below, dataset_at, lost_at, path_of
from cluster.storage.findings import Finding, Weight, fine, moment
from cluster.storage.nas import pools, shares, upkeep
from engine.text.ages import SKEW_S
from house.values.nas import Export, Nas, NasExport

_SOON_S = 14 * 86400.0


class Part(Enum):
    """The rows of one NAS, in telling order. ANSWERS comes first: without it there is nothing to judge."""

    ANSWERS = "answers"
    POOLS = "pools"
    SCRUBS = "scrubs"
    DATASETS = "datasets"
    EXPORTS = "exports"
    SERVICES = "services"
    SNAPSHOTS = "snapshots"
    REPLICATION = "replication"
    DISKS = "disks"
    ALERTS = "alerts"


def findings(part: Part, nas: Nas, look: NasLook, now: float, waiting: tuple[str, ...], *, ssh: bool) -> list[Finding]:
    """Everything of one part. `now`: epoch seconds; `waiting`: claims whose backups lie on it; `ssh`: one is opened by it."""
    if part is Part.ANSWERS or look.trouble is not None:
        return [*_answers(nas, look, now, waiting)]
    found: Iterator[Finding] = {
        Part.POOLS: lambda: pools.pool_findings(nas, look),
        Part.SCRUBS: lambda: pools.scrub_findings(nas, look, now),
        Part.DATASETS: lambda: pools.dataset_findings(nas, look),
        Part.EXPORTS: lambda: shares.export_findings(nas, look),
        Part.SERVICES: lambda: shares.service_findings(look, shares.services_of(nas.exports, ssh=ssh)),
        Part.SNAPSHOTS: lambda: upkeep.snapshot_findings(nas, look, now),
        Part.REPLICATION: lambda: upkeep.replication_findings(nas, look, now),
        Part.DISKS: lambda: upkeep.disk_findings(look),
        Part.ALERTS: lambda: upkeep.alert_findings(look),
    }[part]()
    return [*found] or [fine(part.value, "nothing of it is used")]


def _answers(nas: Nas, look: NasLook, now: float, waiting: tuple[str, ...]) -> Iterator[Finding]:
    """Whether it answers at all, and what of the answering itself is odd."""
    part = f"NAS {nas.name}"
    if look.trouble is not None:
        told = f"{nas.address} {look.trouble.trouble.value}: {look.trouble.detail}"
        if waiting:
            told += f"; backups that wait for it: {', '.join(waiting)}"
        command = f"qm status {nas.vm}   # on its Proxmox host" if nas.vm else ""
        yield Finding(part, Weight.UNKNOWN, told, look.trouble.trouble.name, hint=look.trouble.hint, command=command)
        return
    if look.state not in ("", "READY"):
        yield Finding(part, Weight.UNKNOWN, f"it is {look.state}: what it says may not be so in a minute", look.state)
    yield fine(part, f"TrueNAS {look.version} answers at {look.path}")
    if look.instead is not None:
        told = f"it was asked by SSH, for its API {look.instead.trouble.value}: {look.instead.detail}"
        yield Finding(part, Weight.NOTED, told, look.instead.trouble.name, hint=look.instead.hint)
    if look.clock is not None and look.asked_at and abs(look.clock - look.asked_at) > SKEW_S:
        ahead = look.clock - look.asked_at
        yield Finding(part, Weight.NOTED, f"its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's")
    if look.expires is not None and look.expires < now + _SOON_S:
        ends = "has ended" if look.expires < now else "ends"
        told = f"its certificate {ends} on {moment(look.expires)[:10]}"
        yield Finding(part, Weight.NOTED, told, hint="renew it on the NAS, then write the new fingerprint")


def source_findings(nas: Nas, look: NasLook, path: str, *, ssh: bool) -> list[Finding]:
    """What a restore from a folder of it stands on, and nothing else: its pool, its dataset, the export and the service."""
    over = [one for one in nas.exports if one.kind is Export.NFS and below(path, one.place)]
    return _under(nas, look, path, [one for one in over if one.movers], ssh=ssh)


def share_findings(nas: Nas, look: NasLook, export: NasExport) -> list[Finding]:
    """What a volume on one of its exports stands on. Where an SMB share lies the NAS alone knows."""
    return _under(nas, look, path_of(export, look.smb), [export], ssh=False)


def _under(nas: Nas, look: NasLook, path: str, exports: Sequence[NasExport], *, ssh: bool) -> list[Finding]:
    """Of a folder ("" where nobody knows which it is) and what hands it out."""
    if look.trouble is not None or look.state not in ("", "READY"):
        return [*_answers(nas, look, 0.0, ())]
    handed = [*shares.export_findings(nas, look, exports), *shares.service_findings(look, shares.services_of(exports, ssh=ssh))]
    if not path:
        return handed
    known = () if isinstance(look.datasets, Unheard) else look.datasets
    dataset = dataset_at(path, known)
    lost = lost_at(nas, path, known)
    name = lost or (dataset.name if dataset is not None else path.removeprefix("/mnt/").strip("/"))
    if isinstance(look.pools, Unheard):
        found = [*pools.pool_findings(nas, look)]
    else:
        of_it = [one for one in look.pools if one.name == name.split("/")[0]]
        gone = Finding(f"pool {name.split('/')[0]}", Weight.BLOCKS, "the NAS has no pool of this name in its database")
        found = [finding for one in of_it for finding in pools.of_pool(one)] or [gone]
    found += pools.dataset_findings(nas, look, (name,))
    return [*found, *handed]
