"""Exports and the services that hand them out, as findings. Pure.

An export that is there while its dataset is locked or not mounted shows a folder that is empty: nothing can be told from it, least
of all that there is no backup.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from adapters.nas.results import Listed, NasLook, NfsExport, SmbShare, Unheard
from adapters.nas.wanted import below, dataset_at, lost_at
from cluster.storage.findings import Finding, Weight, fine
from cluster.storage.nas.listed import as_listed
from cluster.storage.nas.pools import of_dataset
from house.values.nas import Export, Nas, NasExport

_PAGE = "look at Shares in the NAS's web page"
_SERVICES = {Export.NFS: "nfs", Export.SMB: "cifs"}


def export_findings(nas: Nas, look: NasLook, only: Iterable[NasExport] | None = None) -> Iterator[Finding]:
    """Everything that is wanted of it (or `only` these)."""
    for wanted in nas.exports if only is None else only:
        yield _of_export(nas, wanted, look)


def _of_export(nas: Nas, wanted: NasExport, look: NasLook) -> Finding:
    part = f"export {wanted.told}"
    listed = look.nfs if wanted.kind is Export.NFS else look.smb
    if isinstance(listed, Unheard):
        return Finding(part, Weight.UNKNOWN, listed.why, listed.code)
    found = _found(wanted, listed)
    if found is None:
        if wanted.kind is Export.NFS and _hidden_at(wanted.place, look):
            return Finding(part, Weight.NOTED, f"its pool is not there: see pools; {wanted.wanted_by} wants it")
        return Finding(part, Weight.BLOCKS, f"is not exported, and {wanted.wanted_by} wants it", hint=f"export it: {_PAGE}")
    if found.enabled is None or found.locked is None:
        return Finding(part, Weight.UNKNOWN, "its answer says not whether it is on, or whether its dataset is locked")
    if not found.enabled:
        return Finding(part, Weight.BLOCKS, f"is switched off, and {wanted.wanted_by} wants it", hint=f"enable it: {_PAGE}")
    return _behind(nas, part, found, look, [one for one in look.listed if one.export == wanted.told])


def _behind(nas: Nas, part: str, found: NfsExport | SmbShare, look: NasLook, listed: Sequence[Listed]) -> Finding:
    """What stands behind an export that is on, and what it shows from here."""
    if _hidden_at(found.path, look):
        return Finding(part, Weight.NOTED, "its pool is not there: see pools")
    if isinstance(look.datasets, Unheard):
        return Finding(part, Weight.UNKNOWN, f"whether its dataset is mounted is not known: {look.datasets.why}")
    lost = lost_at(nas, found.path, look.datasets)
    if lost:
        return Finding(part, Weight.UNKNOWN, f"is on, and dataset {lost} is not there: what it shows is a folder without it")
    dataset = dataset_at(found.path, look.datasets)
    if dataset is None:
        return Finding(part, Weight.BLOCKS, f"no dataset is under {found.path}: it shows an empty folder")
    state = of_dataset(dataset)
    if found.locked or state.weight in (Weight.BLOCKS, Weight.UNKNOWN):
        told = f"is on, and dataset {dataset.name} {state.detail if not found.locked else 'is locked'}: what it shows says nothing"
        return Finding(part, Weight.UNKNOWN, told, state.code, hint=state.hint)
    seen = as_listed(part, found.path, dataset, listed)
    if found.read_only and seen.weight in (Weight.FINE, Weight.NOTED):
        return replace(seen, weight=Weight.NOTED, detail=f"{seen.detail}; read-only: nothing can be backed up to it")
    return seen


def _found(wanted: NasExport, listed: tuple[NfsExport, ...] | tuple[SmbShare, ...]) -> NfsExport | SmbShare | None:
    """The export that serves it: by name of a share, by path or a folder above it of NFS. The nearest one that is on counts."""
    place = posixpath.normpath(wanted.place)
    fit: list[NfsExport | SmbShare] = [
        one for one in listed
        if (one.name.lower() == wanted.place.lower() if isinstance(one, SmbShare) else below(place, one.path))
    ]  # fmt: skip
    return max(fit, key=lambda one: (one.enabled is True, len(one.path)), default=None)


def _hidden_at(path: str, look: NasLook) -> bool:
    """Whether a path is of a pool that is not imported. Pools are at /mnt and their name."""
    parts = path.split("/")
    if isinstance(look.pools, Unheard) or len(parts) < 3 or parts[1] != "mnt":
        return False
    return any(one.name == parts[2] and one.status == "OFFLINE" for one in look.pools)


def service_findings(look: NasLook, wanted: Iterable[str]) -> Iterator[Finding]:
    """The services that the house's use of it needs."""
    for name in wanted:
        part = f"service {name}"
        if isinstance(look.services, Unheard):
            yield Finding(part, Weight.UNKNOWN, look.services.why, look.services.code)
            continue
        found = next((one for one in look.services if one.name == name), None)
        if found is None:
            yield Finding(part, Weight.BLOCKS, "the NAS has none of this name")
        elif found.running is None:
            yield Finding(part, Weight.UNKNOWN, "its answer says not whether it runs")
        elif not found.running:
            yield Finding(part, Weight.BLOCKS, "does not run", hint="start it: System > Services")
        elif found.enabled is False:
            yield Finding(part, Weight.NOTED, "runs, and would not after a restart of the NAS", hint="let it start automatically")
        else:
            yield fine(part, "runs")


def services_of(exports: Iterable[NasExport], *, ssh: bool) -> tuple[str, ...]:
    """Names of the services that exports need, and ssh where a repository is opened by it."""
    named = [_SERVICES[one.kind] for one in exports]
    return tuple(dict.fromkeys((*named, *(("ssh",) if ssh else ()))))
