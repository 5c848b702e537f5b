"""Which datasets of a NAS the house uses: those that are named, and those that what it mounts lies on. Knows no connection."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.nas.results import Dataset, Heard, SmbShare, Unheard
from house.values.nas import Export, Nas, NasExport


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return bool(folder) and (path == folder or path.startswith(f"{folder.rstrip('/')}/"))


def dataset_at(path: str, datasets: Iterable[Dataset]) -> Dataset | None:
    """The dataset whose mountpoint is nearest above a path."""
    fit = [one for one in datasets if below(path, one.mountpoint)]
    return max(fit, key=lambda one: len(one.mountpoint), default=None)


def path_of(export: NasExport, smb: Heard[SmbShare]) -> str:
    """The folder that an export hands out; "" for an SMB share that is not known."""
    if export.kind is Export.NFS:
        return export.place
    shares = () if isinstance(smb, Unheard) else smb
    return next((one.path for one in shares if one.name.lower() == export.place.lower()), "")


def lost_at(nas: Nas, path: str, datasets: Iterable[Dataset]) -> str:
    """The dataset that by the settings is at a path, or above it, and is not there: a folder of its parent is no substitute."""
    there = {one.name for one in datasets}
    return max((one for one in nas.datasets if below(path, f"/mnt/{one}") and one not in there), key=len, default="")


def used(nas: Nas, datasets: Heard[Dataset], smb: Heard[SmbShare]) -> tuple[str, ...]:
    """Names of all of them, those that are not there too where the settings name them."""
    known = () if isinstance(datasets, Unheard) else datasets
    paths = [path_of(export, smb) for export in nas.exports]
    under = [dataset_at(path, known) for path in paths if not lost_at(nas, path, known)]
    return tuple(dict.fromkeys((*nas.datasets, *(one.name for one in under if one is not None))))
