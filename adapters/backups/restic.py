"""The backups port: lists the place, then asks restic, and says which of the verdicts holds. Never locks, never inits.

What restic's exit codes mean depends on what lies at the place (no key and a wrong password are one code), so the listing
always comes first and judges with it.
"""

from __future__ import annotations

import threading

from adapters.backups.contents import SnapshotContents
from adapters.backups.depths import Examiner, complaints
from adapters.backups.judging import by_listing, by_words, remarks_on
from adapters.backups.opening import Opened, Openings
from adapters.backups.places import Contents, PlaceLacks, PlaceRefused, PlaceUnreachable
from adapters.backups.results import (
    WHOLE,
    Changes,
    Depth,
    Examination,
    Hashes,
    Part,
    Repository,
    RepositoryLook,
    Verdict,
)
from adapters.backups.sayings import Saying, meaning, translated, words
from adapters.backups.snapshots import Differences, identity_of, restore_points
from adapters.process.lines import Lines
from adapters.process.results import Finished, ProgramFailed, ProgramTimedOut, StreamingRunner
from adapters.volsync.results import Listing
from engine.errors import BlackstartError, PermanentError
from engine.waiting import Clock
from engine.words import number

LOOK_S = 120.0
LIST_S = 1800.0
STALE_LOCK_S = 30 * 60.0  # restic's own limit; it refreshes a live lock every five minutes
WHOLE_S = 600.0


class ResticBackups:
    """Implements BackupsView on restic, boto3 and paramiko."""

    def __init__(self, runner: StreamingRunner, openings: Openings, clock: Clock) -> None:
        self._runner = runner
        self._openings = openings
        self._clock = clock
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._whole: dict[tuple[str, str, Depth, Part], tuple[Examination, float]] = {}
        self._changes: dict[tuple[str, str, str], Changes] = {}
        self._contents = SnapshotContents(runner, openings)

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
        stale = sum(1 for written in contents.locks if self._clock.now() - written > STALE_LOCK_S)
        settled = by_listing(contents)
        if settled is not None:
            verdict, detail = settled
            return RepositoryLook(repository, verdict, detail=detail, stale_locks=stale)
        return self._ask(opened, contents, stale)

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See BackupsView.listing."""
        return self._contents.listing(repository, snapshot_id)

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """See BackupsView.hashes."""
        return self._contents.hashes(repository, snapshot_id)

    def _ask(self, opened: Opened, contents: Contents, stale: int) -> RepositoryLook:
        """Open it with the password, then list its snapshots."""
        repository = opened.repository
        try:
            config = self._restic(opened, "cat", "config")
            repository_id = identity_of(config.stdout)
            printed = self._restic(opened, "snapshots")
            points = restore_points(repository_id, printed.stdout, repository.normal_since)
        except ProgramFailed as error:
            verdict, detail = by_words(meaning(error.finished), contents)
            told = "; ".join((detail, *words(error.finished)[-2:]))
            return RepositoryLook(repository, verdict, detail=told, stale_locks=stale, hint=_hint(error.finished))
        except ProgramTimedOut as error:
            return RepositoryLook(repository, Verdict.UNREACHABLE, detail=error.what, stale_locks=stale)
        except ValueError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail=str(error), stale_locks=stale)
        except BlackstartError as error:
            return RepositoryLook(repository, Verdict.UNKNOWN, detail="; ".join((error.what, *error.evidence)), stale_locks=stale)
        known = {point.snapshot_id for point in points}
        unread = tuple((name, at) for name, at in contents.snapshots_written if name not in known) if _ignored(printed) else ()
        detail = remarks_on(contents, len(unread), stale, sum(1 for point in points if not point.complete))
        if not points:
            verdict = Verdict.UNREADABLE if unread else Verdict.EMPTY
            return RepositoryLook(repository, verdict, repository_id, detail=detail or "no snapshots", stale_locks=stale)
        if not contents.packs:  # even a snapshot of nothing has its tree in a pack
            told = f"{number(len(points), 'snapshot is', 'snapshots are')} listed, and not one file of their data is left"
            return RepositoryLook(repository, Verdict.UNREADABLE, repository_id, detail=told, stale_locks=stale)
        return RepositoryLook(repository, Verdict.OK, repository_id, points, detail, stale, unread)

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """See BackupsView.examine. What was found whole is not looked into again for some minutes: one run asks several times."""
        kept = (repository.address, snapshot_id, depth, part)
        with self._lock:
            found = self._whole.get(kept)
        if found is not None and self._clock.monotonic() - found[1] < WHOLE_S:
            return found[0]
        examined = self._examined(repository, snapshot_id, depth, limit_s, part)
        if examined.verdict is Verdict.OK and not examined.locks:
            with self._lock:
                self._whole[kept] = (examined, self._clock.monotonic())
        return examined

    def _examined(self, repository: Repository, snapshot_id: str, depth: Depth, limit_s: float, part: Part) -> Examination:
        try:
            opened = self._openings.open(repository)

            def ask(*words: str) -> Finished:
                return self._runner.run(["restic", *words, *opened.options], env=opened.env, timeout_s=limit_s)

            return Examiner(opened, ask).examine(snapshot_id, depth, part)
        except PlaceUnreachable as error:
            return Examination(Verdict.UNREACHABLE, None, str(error))
        except PlaceRefused as error:
            return Examination(Verdict.REFUSED, None, str(error), hint=error.hint)
        except (PlaceLacks, ValueError, KeyError, TypeError) as error:
            return Examination(Verdict.UNKNOWN, None, f"it could not be looked into: {error}")
        except ProgramFailed as error:
            said = meaning(error.finished)
            if said in (Saying.DAMAGED, Saying.NO_SNAPSHOT):
                return Examination(Verdict.UNREADABLE, None, complaints(error.finished), hint=_hint(error.finished))
            verdict, told = by_words(said, Contents())
            return Examination(verdict, None, "; ".join((told, *words(error.finished)[-1:])), hint=_hint(error.finished))
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
            found = identity_of(self._restic(opened, "cat", "config").stdout)
        except (PlaceUnreachable, PlaceRefused, PlaceLacks, ValueError, BlackstartError):
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
        except ValueError as error:
            raise PermanentError(f"restic's differences could not be understood ({error})") from error
        with self._lock:
            return self._changes.setdefault(kept, found.changes())

    def _restic(self, opened: Opened, *words: str) -> Finished:
        return self._runner.run(["restic", *words, *opened.options], env=opened.env, timeout_s=LOOK_S)


def _ignored(printed: Finished) -> bool:
    return any("Ignoring" in line for line in printed.stderr_tail)


def _hint(finished: Finished) -> str:
    """Where restic's own words say that it is not the usual thing."""
    if any("permission denied" in line.lower() for line in finished.stderr_tail):
        return "a file's owner or mode, not the repository's password: run as a user who may read all of it"
    return ""
