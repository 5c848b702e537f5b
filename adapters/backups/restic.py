"""The backups port: lists the place, opens what is there, and says which of the verdicts holds. Never locks, never inits.

Up to its snapshots a repository is read by ourselves; what is deeper is asked of restic. The listing always comes first: a store
that answers, and a repository that is there, are what all that follows is judged with.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from adapters.backups.contents import SnapshotContents
from adapters.backups.depths import Examiner, hint_of
from adapters.backups.found import FoundWhole
from adapters.backups.judging import by_listing, by_words, remarks_on
from adapters.backups.onepath import OnePath
from adapters.backups.opening import Opened, Openings
from adapters.backups.repository.heads import FormatUnknown, Keyring, Restless, read_identity, read_snapshots
from adapters.backups.repository.sealed import Broken, NoKeyFits
from adapters.backups.results import (
    WHOLE,
    Changes,
    Depth,
    Examination,
    Fetched,
    FoundPath,
    Hashes,
    Part,
    Repository,
    RepositoryLook,
    Verdict,
)
from adapters.backups.sayings import meaning, translated, words
from adapters.backups.snapshots import Differences, restore_points
from adapters.backups.stores.places import Contents, PlaceLacks, PlaceRefused, PlaceUnreachable
from adapters.process.lines import Lines
from adapters.process.results import Finished, ProgramFailed, ProgramTimedOut, StreamingRunner
from adapters.volsync.results import Listing
from engine.errors import BlackstartError, PermanentError
from engine.text.ages import older
from engine.text.jsontext import Malformed
from engine.text.words import number
from engine.waiting import Clock

LIST_S = 1800.0
STALE_LOCK_S = 30 * 60.0  # restic's own limit; it refreshes a live lock every five minutes


class ResticBackups:
    """Implements BackupsView on restic, boto3 and paramiko."""

    def __init__(self, runner: StreamingRunner, openings: Openings, clock: Clock) -> None:
        self._runner = runner
        self._openings = openings
        self._clock = clock
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._whole = FoundWhole(clock)
        self._changes: dict[tuple[str, str, str], Changes] = {}
        self._keys = Keyring(clock)
        self._contents = SnapshotContents(runner, openings)
        self._paths = OnePath(runner, openings, self._keys)

    def look(self, repository: Repository) -> RepositoryLook:
        """See BackupsView.look. A secret that cannot be had, or a missing restic, makes the verdict UNKNOWN."""
        try:
            opened = self._openings.open(repository)
            contents = opened.place.contents()
        except PlaceUnreachable as error:
            return RepositoryLook(repository, Verdict.UNREACHABLE, detail=str(error))
        except PlaceRefused as error:
            return RepositoryLook(repository, Verdict.REFUSED, detail=str(error), hint=error.hint)
        except PlaceLacks as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail=f"it changed while it was listed: {error}")
        except BlackstartError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail="; ".join((error.what, *error.evidence)))
        stale = sum(1 for written in contents.locks if older(written, self._clock.now(), STALE_LOCK_S))
        settled = by_listing(contents)
        if settled is not None:
            verdict, detail = settled
            return RepositoryLook(repository, verdict, detail=detail, stale_locks=stale)
        return self._open(opened, contents, stale)

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See BackupsView.listing."""
        return self._contents.listing(repository, snapshot_id)

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """See BackupsView.hashes."""
        return self._contents.hashes(repository, snapshot_id)

    def find(self, repository: Repository, snapshot_ids: Sequence[str], path: str) -> tuple[FoundPath, ...]:
        """See BackupsView.find."""
        return self._paths.find(repository, snapshot_ids, path)

    def fetch(self, repository: Repository, snapshot_id: str, path: str, into: Path) -> Fetched:
        """See BackupsView.fetch."""
        return self._paths.fetch(repository, snapshot_id, path, into)

    def _open(self, opened: Opened, contents: Contents, stale: int) -> RepositoryLook:
        """Open it with the password, then read its snapshots."""
        repository = opened.repository

        def bad(verdict: Verdict, detail: str, hint: str = "") -> RepositoryLook:
            return RepositoryLook(repository, verdict, detail=detail, stale_locks=stale, hint=hint)

        try:
            key = self._keys.key(opened)
            repository_id = read_identity(opened.place, key)
            found = read_snapshots(opened.place, key)
            points = restore_points(repository_id, found.told, repository.normal_since)
        except NoKeyFits:
            return bad(Verdict.REFUSED, f"the password opens none of its {contents.keys} keys")
        except Broken as error:
            return bad(Verdict.UNREADABLE, f"it does not open: {error}")
        except FormatUnknown as error:
            return bad(Verdict.UNKNOWN, f"a repository of {error}, which is later than this tool can read")
        except PlaceUnreachable as error:
            return bad(Verdict.UNREACHABLE, f"the store stopped answering; {error}")
        except PlaceRefused as error:
            return bad(Verdict.REFUSED, str(error), error.hint)
        except (PlaceLacks, Restless) as error:
            return bad(Verdict.UNKNOWN, f"it changed while it was read: {error}")
        except ValueError as error:
            return bad(Verdict.UNKNOWN, str(error))
        written = dict(contents.snapshots_written)
        unread = tuple((name, written.get(name, 0.0)) for name in found.unread)
        detail = remarks_on(contents, len(unread), stale, sum(1 for point in points if not point.complete))
        if not points:
            verdict = Verdict.UNREADABLE if unread else Verdict.EMPTY
            told = detail if unread else "; ".join(filter(None, ("no snapshots", detail)))
            return RepositoryLook(repository, verdict, repository_id, detail=told, stale_locks=stale)
        if not contents.packs:  # even a snapshot of nothing has its tree in a pack
            told = f"{number(len(points), 'snapshot is', 'snapshots are')} listed, and not one file of their data is left"
            return RepositoryLook(repository, Verdict.UNREADABLE, repository_id, detail=told, stale_locks=stale)
        return RepositoryLook(repository, Verdict.OK, repository_id, points, detail, stale, unread)

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """See BackupsView.examine."""

        def look() -> Examination:
            return self._examined(repository, snapshot_id, depth, limit_s, part)

        return self._whole.examined(repository, snapshot_id, depth, part, look)

    def _examined(self, repository: Repository, snapshot_id: str, depth: Depth, limit_s: float, part: Part) -> Examination:
        try:
            opened = self._openings.open(repository)

            def ask(*words: str) -> Finished:
                return self._runner.run(["restic", *words, *opened.options], env=opened.env, timeout_s=limit_s)

            until = self._clock.monotonic() + limit_s / 2
            examiner = Examiner(opened, self._keys.key(opened), ask, lambda: self._clock.monotonic() > until)
            return examiner.examine(snapshot_id, depth, part)
        except NoKeyFits as error:
            return Examination(Verdict.REFUSED, None, str(error))
        except Broken as error:
            return Examination(Verdict.UNREADABLE, None, str(error))
        except PlaceUnreachable as error:
            return Examination(Verdict.UNREACHABLE, None, str(error))
        except PlaceRefused as error:
            return Examination(Verdict.REFUSED, None, str(error), hint=error.hint)
        except (PlaceLacks, ValueError, KeyError, TypeError) as error:
            return Examination(Verdict.UNKNOWN, None, f"it could not be looked into: {error}")
        except ProgramFailed as error:
            verdict, told = by_words(meaning(error.finished))
            return Examination(verdict, None, "; ".join((told, *words(error.finished)[-1:])), hint=hint_of(error.finished))
        except ProgramTimedOut as error:
            return Examination(Verdict.UNREACHABLE, None, error.what)
        except BlackstartError as error:
            return Examination(Verdict.UNKNOWN, None, "; ".join((error.what, *error.evidence)))

    def identity(self, repository: Repository) -> str:
        """See BackupsView.identity. One that was told once is kept: the id of a repository is made with it."""
        with self._lock:
            if repository.address in self._ids:
                return self._ids[repository.address]
        try:
            opened = self._openings.open(repository)
            if by_listing(opened.place.contents()) is not None:
                return ""
            found = read_identity(opened.place, self._keys.key(opened))
        except (PlaceUnreachable, PlaceRefused, PlaceLacks, NoKeyFits, FormatUnknown, ValueError, BlackstartError):
            return ""  # nobody knows: its own look says why
        with self._lock:
            self._ids[repository.address] = found
        return found

    def changes(self, repository: Repository, older: str, newer: str) -> Changes:
        """See BackupsView.changes. Snapshots never change: what was told once is kept."""
        kept = (repository.address, older, newer)
        with self._lock:
            if kept in self._changes:
                return self._changes[kept]
        found = Differences()
        lines = Lines(found.line)
        opened = self._openings.open(repository)
        try:
            self._runner.stream(["restic", "diff", older, newer, *opened.options], lines.feed, env=opened.env, timeout_s=LIST_S)
            lines.end()
        except ProgramFailed as error:
            raise translated(f"snapshots {older[:8]} and {newer[:8]} of {repository.name} could not be compared", error) from error
        except Malformed as error:
            raise PermanentError(f"restic's differences could not be understood ({error})") from error
        with self._lock:
            return self._changes.setdefault(kept, found.changes())
