"""The looks of the backups port at repositories of kopia: never a write, never a maintenance, never a trace of a connection.

The place is listed first: a store that answers, and a repository that is there, are what all that follows is judged with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from adapters.backups.found import FoundWhole
from adapters.backups.results import WHOLE, Depth, Examination, Part, Repository, RepositoryLook, RestorePoint, Verdict
from adapters.backups.stores.places import Contents, PlaceLacks, PlaceRefused, PlaceUnreachable
from adapters.kopia.client import OPEN_S, Client, connected
from adapters.kopia.depths import Examiner
from adapters.kopia.opening import KopiaOpened, KopiaOpenings
from adapters.kopia.reading import identity_of, own_id, restore_points
from adapters.kopia.sayings import meaning, words
from adapters.kopia.shared import SharedPacks
from adapters.process.results import ProgramFailed, ProgramMissing, ProgramTimedOut, StreamingRunner
from engine.errors import BlackstartError
from engine.text.words import agreed, number
from engine.waiting import Clock

_MARK = "kopia.repository"
_OWN = re.compile(r"kopia\..+|[pqnxs_]|(?:[pqs]|n|xn\d+_|xw|_log_)[0-9a-f_]{16,}.*")
"""What kopia keeps: in a folder its files lie in folders of one letter, in a bucket their whole names begin with it."""
_BUILD = "`invoke tools.build --only kopia` builds it; a fitting one on PATH does as well"
_ADVICE = "the repository is damaged: copy it before anything else, and let no maintenance of kopia run on it"
T = TypeVar("T")


class KopiaBackups:
    """Looks at and into repositories of kopia; what only restic's can be asked is not here."""

    def __init__(self, runner: StreamingRunner, openings: KopiaOpenings, clock: Clock) -> None:
        self._runner, self._openings = runner, openings
        self._whole = FoundWhole(clock)
        self._packs = SharedPacks()

    def look(self, repository: Repository) -> RepositoryLook:
        """See BackupsView.look. The points are those of the repository's `identity` alone."""

        def bad(verdict: Verdict, detail: str, hint: str) -> RepositoryLook:
            return RepositoryLook(repository, verdict, detail=detail, hint=hint)

        return self._told(lambda: self._look(repository), bad)

    def _look(self, repository: Repository) -> RepositoryLook:
        opened = self._openings.open(repository)
        if (settled := _by_listing(opened.place.contents())) is not None:
            return RepositoryLook(repository, settled[0], detail=settled[1], hint=_hint(settled[0]))
        with connected(self._runner, opened.store, OPEN_S) as client:
            repository_id = own_id(client.unique_id(), repository.identity)
            told = client.snapshots()
            points = restore_points(repository_id, repository.identity, told, repository.normal_since)
            lost = "" if points else self._lost(repository.address, client)
        if lost:
            told_of = f"no snapshots of {repository.identity} are listed, and {lost}"
            return RepositoryLook(repository, Verdict.UNREADABLE, repository_id, detail=told_of, hint=_ADVICE)
        owners = sorted({identity_of(one) for one in told} - {repository.identity})
        if not points:
            shown = f"; there are those of {', '.join(owners[:3])}{' …' if len(owners) > 3 else ''}" if owners else ""
            return RepositoryLook(repository, Verdict.EMPTY, repository_id, detail=f"no snapshots of {repository.identity}{shown}")
        return RepositoryLook(repository, Verdict.OK, repository_id, points, _remarks(points, repository.identity, owners))

    def _lost(self, address: str, client: Client) -> str:
        """What may have taken snapshots out of the list, "" for nothing: they stand in packs themselves, and indexes name them."""
        packs = self._packs.of(address, client, client.blobs())
        return packs.lost or packs.hollow or packs.forgotten

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """See BackupsView.examine."""

        def ask() -> Examination:
            opened = self._openings.open(repository)
            with connected(self._runner, opened.store, limit_s) as client:
                indexed = partial(self._packs.of, repository.address, client)
                return Examiner(client, indexed).examine(snapshot_id, depth, part)

        def look() -> Examination:
            return self._told(ask, lambda verdict, detail, hint: Examination(verdict, None, detail, hint=hint))

        return self._whole.examined(repository, snapshot_id, depth, part, look)

    def identity(self, repository: Repository) -> str:
        """See BackupsView.identity: of repository and identity together, as in a look."""

        def ask() -> str:
            opened: KopiaOpened = self._openings.open(repository)
            if _by_listing(opened.place.contents()) is not None:
                return ""
            with connected(self._runner, opened.store, OPEN_S) as client:
                return own_id(client.unique_id(), repository.identity)

        return self._told(ask, lambda *_: "")  # nobody knows: its own look says why

    def _told(self, look: Callable[[], T], bad: Callable[[Verdict, str, str], T]) -> T:
        """What `look` answers; what went wrong as a verdict, with what is known and what would help."""
        try:
            return look()
        except PlaceUnreachable as error:
            return bad(Verdict.UNREACHABLE, str(error), "")
        except PlaceRefused as error:
            return bad(Verdict.REFUSED, str(error), error.hint)
        except (PlaceLacks, ValueError, KeyError, TypeError) as error:
            return bad(Verdict.UNKNOWN, f"it could not be looked into: {error}", "")
        except ProgramMissing as error:
            return bad(Verdict.UNKNOWN, f"kopia, which reads it, is not on this machine: {error.what}", _BUILD)
        except ProgramFailed as error:
            verdict, told = meaning(error.finished)
            return bad(verdict, "; ".join((told, *words(error.finished)[-1:])), _hint(verdict))
        except ProgramTimedOut as error:
            return bad(Verdict.UNREACHABLE, error.what, "")
        except BlackstartError as error:
            return bad(Verdict.UNKNOWN, "; ".join((error.what, *error.evidence)), error.hint)


def _by_listing(contents: Contents) -> tuple[Verdict, str] | None:
    """The verdict that the listing alone allows, None when kopia must be asked."""
    names = contents.others
    if any(name.startswith(_MARK) for name in names):
        return None
    if contents.config_size is not None:
        return Verdict.FOREIGN, "a repository of restic"
    left = sorted(name for name in names if _OWN.fullmatch(name))
    if left:
        return Verdict.UNREADABLE, f"its {_MARK} is gone; {agreed(left[:5], 'is', 'are')} left"
    if names:
        return Verdict.MISSING, f"no repository among what is there: {', '.join(names[:5])}"
    return Verdict.MISSING, contents.detail or "nothing of a repository is there"


def _remarks(points: tuple[RestorePoint, ...], identity: str, owners: list[str]) -> str:
    """What a person should know although the repository opened."""
    broken = sum(not point.complete for point in points)
    beside = [one for one in owners if one.rpartition(":")[0] == identity.rpartition(":")[0]]
    told = [f"{number(broken, 'snapshot is', 'snapshots are')} not complete"] if broken else []
    told += [f"snapshots of {', '.join(beside[:3])} besides, which are not this claim's"] if beside else []
    return "; ".join(told)


def _hint(verdict: Verdict) -> str:
    return _ADVICE if verdict in (Verdict.UNREADABLE, Verdict.DAMAGED) else ""
