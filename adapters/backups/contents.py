"""What a snapshot holds: its list out of the repository's trees, and the hashes of its files, which restic hands out.

Knows no verdict. The list costs the index and the folders' lists; hashes cost a download of everything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.backups import hashing
from adapters.backups.opening import Opened, Openings
from adapters.backups.repository.heads import FormatUnknown
from adapters.backups.repository.sealed import NoKeyFits
from adapters.backups.repository.trees import SnapshotAbsent, walk
from adapters.backups.results import Hashes, Repository
from adapters.backups.sayings import translated
from adapters.backups.stores.places import PlaceRefused, PlaceUnreachable
from adapters.process.results import ProgramFailed, StreamingRunner
from adapters.volsync.results import Listing
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.workers import Threads

_LISTS_KEPT = 4


class SnapshotContents:
    """Lists and hashes. A snapshot never changes, so whole lists are kept for a while."""

    def __init__(self, runner: StreamingRunner, openings: Openings) -> None:
        self._runner, self._openings = runner, openings
        self._lock = threading.Lock()
        self._workers = Threads()
        self._lists: OrderedDict[tuple[str, str], Listing] = OrderedDict()

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See BackupsView.listing: every entry of the snapshot, sorted by path; not complete when damage breaks it off."""
        key = (repository.address, snapshot_id)
        with self._lock:
            if key in self._lists:
                return self._lists[key]
        listing = self._walked(self._openings.open(repository), snapshot_id)
        if listing.complete:
            with self._lock:
                self._lists[key] = listing
                while len(self._lists) > _LISTS_KEPT:
                    self._lists.popitem(last=False)
        return listing

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """See BackupsView.hashes. PermanentError when the snapshot cannot be read to its end."""
        listing = self.listing(repository, snapshot_id)
        if not listing.complete:
            raise PermanentError(f"snapshot {snapshot_id[:8]} of {repository.name} is not whole", evidence=(listing.detail,))
        sizes = {entry.path: entry.size for entry in listing.entries if entry.kind == "file"}
        if not sizes:
            return Hashes((), 0)
        opened = self._openings.open(repository)
        try:
            found = hashing.hashes(self._runner, opened, snapshot_id, sizes, self._workers)
        except ProgramFailed as error:
            # An archive cannot hold the name of an attribute with "=" in it, and restic hands out nothing but archives.
            odd = [e.path for e in listing.entries if any("=" in name for name, _ in e.xattrs or ())]
            told = translated(f"snapshot {snapshot_id[:8]} of {repository.name} could not be read", error)
            if odd:
                told.evidence = (*told.evidence, *(f"{path} has an extended attribute with = in its name" for path in odd[:10]))
            raise told from error
        return Hashes(found, sum(sizes.values()))

    def _walked(self, opened: Opened, snapshot_id: str) -> Listing:
        repository = opened.repository
        what = f"snapshot {snapshot_id[:8]} of {repository.name} could not be listed"
        password = opened.env["RESTIC_PASSWORD"]
        assert isinstance(password, Secret)
        with in_words(what):
            walked = walk(opened.place, password, snapshot_id, self._workers)
        return Listing(walked.entries, complete=not walked.broken, detail=walked.broken, downloaded=walked.read_bytes)


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """What goes wrong within, as errors for people: `what` could not be done, and why."""
    try:
        yield
    except PlaceUnreachable as error:
        raise TransientError(what, evidence=(str(error),), hint="the store did not answer") from error
    except PlaceRefused as error:
        raise PermanentError(what, evidence=(str(error),), hint=error.hint or "the store refused access") from error
    except NoKeyFits as error:
        raise PermanentError(what, evidence=(str(error),), hint="the password opens none of its keys") from error
    except SnapshotAbsent as error:
        raise PermanentError(what, hint="there is no such snapshot") from error
    except FormatUnknown as error:
        hint = "the repository is of a later format than this tool can read"
        raise PermanentError(what, evidence=(str(error),), hint=hint) from error
