"""Hold what was restored against its snapshot: by restic in the cluster, else by hashes that are downloaded. Knows no claim."""

from __future__ import annotations

from collections.abc import Callable

from adapters.backups.results import Repository
from adapters.ports import BackupsView
from adapters.volsync.results import Compared, Listing, Meanwhile
from recovery.compared.comparison import Comparison, compare, with_hashes

Asked = Callable[[Meanwhile], Compared]
"""Asks the cluster."""


def against(backups: BackupsView, repository: Repository, snapshot_id: str, asked: Asked) -> Comparison:
    """The comparison. Raises the ports' errors; where restic was not asked in the cluster all of the snapshot is downloaded."""
    wanted, compared, downloaded = both(backups, repository, snapshot_id, asked)
    return compare(wanted, compared, downloaded)


def both(backups: BackupsView, repository: Repository, snapshot_id: str, asked: Asked) -> tuple[Listing, Compared, int]:
    """The snapshot's own list, read while the pod works; what the pod said; and how many bytes were downloaded for hashes, which
    the list has where restic was not asked in the cluster."""
    wanted, compared = side_by_side(lambda: backups.listing(repository, snapshot_id), asked)
    if compared.checked is not None:
        return wanted, compared, 0
    hashes = backups.hashes(repository, snapshot_id)
    return with_hashes(wanted, hashes.values), compared, hashes.downloaded


def side_by_side(listing: Callable[[], Listing], asked: Asked) -> tuple[Listing, Compared]:
    """A snapshot's own list, read while the cluster is asked, and what the cluster says."""
    lists: list[Listing] = []
    compared = asked(lambda: lists.append(listing()))
    (wanted,) = lists
    return wanted, compared
