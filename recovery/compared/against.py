"""Hold what was restored against its snapshot: by restic in the cluster, else by hashes that are downloaded. Knows no claim."""

from __future__ import annotations

from adapters.backups.results import Repository
from adapters.ports import BackupsView
from adapters.volsync.results import Compared, Listing
from recovery.compared.comparison import Comparison, compare, with_hashes


def against(backups: BackupsView, repository: Repository, snapshot_id: str, compared: Compared) -> Comparison:
    """The comparison. Raises the port's errors; where restic was not asked in the cluster all of the snapshot is downloaded."""
    wanted, downloaded = wanted_of(backups, repository, snapshot_id, compared)
    return compare(wanted, compared, downloaded)


def wanted_of(backups: BackupsView, repository: Repository, snapshot_id: str, compared: Compared) -> tuple[Listing, int]:
    """The snapshot's own list, with hashes where restic compared nothing, and how many bytes were downloaded for those."""
    wanted = backups.listing(repository, snapshot_id)
    if compared.checked is not None:
        return wanted, 0
    hashes = backups.hashes(repository, snapshot_id)
    return with_hashes(wanted, hashes.values), hashes.downloaded
