"""The backups port: lists the place, then asks restic, and says which of the verdicts holds. Never locks, never inits.

What restic's exit codes mean depends on what lies at the place (no key and a wrong password are one code), so the listing
always comes first and judges with it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from adapters.backups import hashing
from adapters.backups.opening import Opened, Openings
from adapters.backups.places import Contents, PlaceRefused, PlaceUnreachable
from adapters.backups.results import Repository, RepositoryLook, Verdict
from adapters.backups.sayings import Saying, meaning
from adapters.backups.snapshots import file_entry, identity_of, restore_points
from adapters.process.lines import Lines
from adapters.process.results import Finished, ProgramFailed, ProgramTimedOut, StreamingRunner
from adapters.volsync.results import FileEntry, Listing
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.waiting import Clock
from engine.workers import Threads

LOOK_S = 120.0
LIST_S = 1800.0
STALE_LOCK_S = 30 * 60.0  # restic's own limit; it refreshes a live lock every five minutes
_LISTS_KEPT = 4


class ResticBackups:
    """Implements BackupsView on restic, boto3 and paramiko."""

    def __init__(self, runner: StreamingRunner, openings: Openings, clock: Clock) -> None:
        self._runner = runner
        self._openings = openings
        self._clock = clock
        self._lock = threading.Lock()
        self._workers = Threads()
        self._lists: OrderedDict[tuple[str, str], Listing] = OrderedDict()

    def look(self, repository: Repository) -> RepositoryLook:
        """See BackupsView.look. A secret that cannot be had, or a missing restic, makes the verdict UNKNOWN."""
        try:
            opened = self._openings.open(repository)
            contents = opened.place.contents()
        except PlaceUnreachable as error:
            return RepositoryLook(repository, Verdict.UNREACHABLE, detail=str(error))
        except PlaceRefused as error:
            return RepositoryLook(repository, Verdict.REFUSED, detail=str(error))
        except BlackstartError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail="; ".join((error.what, *error.evidence)))
        stale = sum(1 for written in contents.locks if self._clock.now() - written > STALE_LOCK_S)
        settled = _by_listing(contents)
        if settled is not None:
            verdict, detail = settled
            return RepositoryLook(repository, verdict, detail=detail, stale_locks=stale)
        return self._ask(opened, contents, stale)

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See BackupsView.listing: every entry of the snapshot, sorted by path; not complete when damage breaks it off."""
        key = (repository.address, snapshot_id)
        with self._lock:
            if key in self._lists:
                return self._lists[key]
        listing = self._list(self._openings.open(repository), snapshot_id)
        if listing.complete:  # a snapshot never changes
            with self._lock:
                self._lists[key] = listing
                while len(self._lists) > _LISTS_KEPT:
                    self._lists.popitem(last=False)
        return listing

    def hashes(self, repository: Repository, snapshot_id: str, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """See BackupsView.hashes. PermanentError when the snapshot lacks one of the paths or cannot be read to its end."""
        if not paths:
            return ()
        listing = self.listing(repository, snapshot_id)
        sizes = {entry.path: entry.size for entry in listing.entries if entry.kind == "file"}
        absent = [path for path in paths if path not in sizes]
        if absent:
            raise PermanentError(
                f"snapshot {snapshot_id[:8]} of {repository.name} lacks files that were asked for",
                evidence=(*absent[:10], *((listing.detail,) if listing.detail else ())),
            )
        opened = self._openings.open(repository)
        try:
            return hashing.hashes(self._runner, opened, snapshot_id, paths, sizes, self._workers)
        except ProgramFailed as error:
            raise _translated(f"snapshot {snapshot_id[:8]} of {repository.name} could not be read", error) from error

    def _ask(self, opened: Opened, contents: Contents, stale: int) -> RepositoryLook:
        """Open it with the password, then list its snapshots."""
        repository = opened.repository
        try:
            config = self._restic(opened, "cat", "config")
            repository_id = identity_of(config.stdout)
            printed = self._restic(opened, "snapshots")
            points = restore_points(repository_id, printed.stdout)
        except ProgramFailed as error:
            verdict, detail = _verdict(meaning(error.finished), contents)
            told = "; ".join((detail, *error.evidence[-2:]))
            return RepositoryLook(repository, verdict, detail=told, stale_locks=stale)
        except ProgramTimedOut as error:
            return RepositoryLook(repository, Verdict.UNREACHABLE, detail=error.what, stale_locks=stale)
        except ValueError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail=str(error), stale_locks=stale)
        except BlackstartError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail="; ".join((error.what, *error.evidence)), stale_locks=stale)
        unread = sum(1 for line in printed.stderr_tail if "Ignoring" in line)
        detail = _remarks(contents, unread, stale, sum(1 for point in points if not point.complete))
        if not points:
            verdict = Verdict.UNREADABLE if unread else Verdict.EMPTY
            return RepositoryLook(repository, verdict, repository_id, detail=detail or "no snapshots", stale_locks=stale)
        if not contents.packs:  # even a snapshot of nothing has its tree in a pack
            told = f"{len(points)} snapshots are listed, and not one file of their data is left"
            return RepositoryLook(repository, Verdict.UNREADABLE, repository_id, detail=told, stale_locks=stale)
        return RepositoryLook(repository, Verdict.OK, repository_id, points, detail, stale)

    def _list(self, opened: Opened, snapshot_id: str) -> Listing:
        repository = opened.repository
        entries: list[FileEntry] = []
        lines = Lines(lambda line: _keep(entries, line))
        detail = ""
        try:
            self._runner.stream(
                ["restic", "ls", snapshot_id, *opened.options], lines.feed, env=opened.env, timeout_s=LIST_S
            )
            lines.end()
        except ProgramFailed as error:
            if meaning(error.finished) is not Saying.DAMAGED:
                raise _translated(f"snapshot {snapshot_id[:8]} of {repository.name} could not be listed", error) from error
            detail = "; ".join(error.evidence[-2:]) or error.what
        except ValueError as error:
            detail = f"restic's list could not be understood ({error})"
        entries.sort(key=lambda entry: entry.path)
        return Listing(tuple(entries), complete=not detail, detail=detail)

    def _restic(self, opened: Opened, *words: str) -> Finished:
        return self._runner.run(["restic", *words, *opened.options], env=opened.env, timeout_s=LOOK_S)


def _by_listing(contents: Contents) -> tuple[Verdict, str] | None:
    """The verdict that the listing alone allows, None when restic must be asked."""
    if contents.foreign_engine:
        return Verdict.FOREIGN, f"a repository of {contents.foreign_engine}"
    if contents.config_size is not None:
        if contents.config_size == 0:
            return Verdict.UNREADABLE, "its config has no bytes"
        if not contents.keys:
            return Verdict.UNREADABLE, "it has a config, but no key is left"
        return None
    if contents.keys or contents.snapshots or contents.indexes or contents.packs or contents.locks:
        left = f"{contents.keys} keys, {contents.snapshots} snapshots, {contents.indexes} indexes and {len(contents.locks)} locks"
        return Verdict.UNREADABLE, f"its config is gone; {left} are left{', and data' if contents.packs else ''}"
    if contents.others:
        return Verdict.MISSING, f"no repository among what is there: {', '.join(contents.others[:5])}"
    return Verdict.MISSING, contents.detail or "no repository: of restic's folders there are some, and nothing is in them"


def _verdict(said: Saying, contents: Contents) -> tuple[Verdict, str]:
    if said is Saying.NO_KEY_FITS:
        return Verdict.REFUSED, f"the password opens none of its {contents.keys} keys"
    if said is Saying.REFUSED:
        return Verdict.REFUSED, "the store refused to let it be read"
    if said is Saying.UNREACHABLE:
        return Verdict.UNREACHABLE, "the store stopped answering"
    return Verdict.UNREADABLE, said.value


def _remarks(contents: Contents, unread: int, stale: int, incomplete: int) -> str:
    """What a person should know although the repository opened."""
    told = []
    if unread:
        told.append(f"{unread} snapshot files cannot be read")
    if incomplete:
        told.append(f"{incomplete} snapshots are far smaller than those before them")
    if stale:
        told.append(f"{stale} stale locks")
    if contents.keys > 1:
        told.append(f"{contents.keys} keys")
    return ", ".join(told)


def _keep(entries: list[FileEntry], line: str) -> None:
    entry = file_entry(line)
    if entry is not None:
        entries.append(entry)


def _translated(what: str, error: ProgramFailed) -> BlackstartError:
    said = meaning(error.finished)
    if said is Saying.UNREACHABLE:
        return TransientError(what, evidence=error.evidence, hint="the store did not answer")
    return PermanentError(what, evidence=error.evidence, hint=said.value)
