"""Hold what was restored against its snapshot: by restic in the cluster, else by hashes that are downloaded. Knows no claim."""

from __future__ import annotations

from adapters.backups.results import Repository
from adapters.ports import BackupsView
from adapters.volsync.results import Compared
from recovery.comparison import Comparison, compare, with_hashes


def against(backups: BackupsView, repository: Repository, snapshot_id: str, compared: Compared) -> Comparison:
    """The comparison. Raises the port's errors; where restic was not asked in the cluster all of the snapshot is downloaded."""
    wanted = backups.listing(repository, snapshot_id)
    if compared.checked is not None:
        return compare(wanted, compared)
    hashes = backups.hashes(repository, snapshot_id)
    return compare(with_hashes(wanted, hashes.values), compared, hashes.downloaded)
