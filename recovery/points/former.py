"""What a repository was at a moment, by the versions that its store kept, and when it lost what. Asks nobody."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.versions.results import Version
from engine.text.digest import digest

_LOCKS, SNAPSHOTS = "locks/", "snapshots/"
_OWN = ("config", "keys/", SNAPSHOTS, "index/", "data/")
_NEVER = float("inf")


@dataclass(frozen=True)
class Former:
    """The files of a repository at `moment` (epoch seconds), by name, but for its locks: whose they were has ended."""

    moment: float
    files: tuple[Version, ...]

    @property
    def whole(self) -> bool:
        """Whether there was a repository at all."""
        return any(one.name == "config" for one in self.files)

    @property
    def snapshots(self) -> tuple[Version, ...]:
        """Its snapshot files, the one that was written last first."""
        found = [one for one in self.files if one.name.startswith(SNAPSHOTS)]
        return tuple(sorted(found, key=lambda one: -one.written))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    @property
    def digest(self) -> str:
        """Over each file and which version of it."""
        return digest([(one.name, one.version_id, one.size) for one in self.files])


@dataclass(frozen=True)
class Loss:
    """Losses within one minute: when they began (epoch seconds), how many snapshots and other files went.

    `over` of these were not deleted but written over: restic never does that to a file that it has.
    """

    at: float
    snapshots: int
    files: int
    over: int = 0

    @property
    def before(self) -> str:
        """The last whole second before it, as `--as-of` takes it."""
        return stamp(self.at - 1)


def former(history: Iterable[Version], moment: float = _NEVER) -> Former:
    """The state at that moment, by default the one of now. A repository may have a bucket for itself, where others lie in folders:
    what is not named as restic names its files is none of it."""
    return Former(moment, tuple(one for one in lying(history, moment) if _is_own(one)))


def lying(history: Iterable[Version], moment: float = _NEVER) -> tuple[Version, ...]:
    """All files but locks, by name: of each its last version until that moment, unless it says that it was deleted. Of two of one
    moment the one that the store lists first is the later."""
    last: dict[str, Version] = {}
    for one in history:
        known = last.get(one.name)
        if one.written <= moment and not one.name.startswith(_LOCKS) and (known is None or one.written > known.written):
            last[one.name] = one
    return tuple(one for _, one in sorted(last.items()) if not one.gone)


def _is_own(one: Version) -> bool:
    return any(one.name == own or (own.endswith("/") and one.name.startswith(own)) for own in _OWN)


def losses(history: Sequence[Version]) -> tuple[Loss, ...]:
    """When something was deleted or written over, the latest first."""
    found: list[list[Version]] = []
    for one in _lost(history):
        if found and one.written - found[-1][-1].written < 60:
            found[-1].append(one)
        else:
            found.append([one])
    return tuple(_loss(together) for together in reversed(found))


def _loss(together: Sequence[Version]) -> Loss:
    snapshots = sum(one.name.startswith(SNAPSHOTS) for one in together)
    return Loss(together[0].written, snapshots, len(together) - snapshots, sum(not one.gone for one in together))


def _lost(history: Sequence[Version]) -> Iterator[Version]:
    """Each version that took the place of what a file held, or says that it was deleted, in their order."""
    before: dict[str, Version] = {}
    oldest_first = list(reversed(history))  # of one moment the first of the list is the later
    for one in sorted(oldest_first, key=lambda one: one.written):
        known = before.get(one.name)
        before[one.name] = one
        if _is_own(one) and (one.gone or (known is not None and _differs(known, one))):
            yield one


def _differs(old: Version, new: Version) -> bool:
    """Whether the file held something else before. Of one size and without a name for its content nobody says: then yes."""
    return not old.gone and not (old.size == new.size and old.etag == new.etag != "")


def stamp(moment: float) -> str:
    """Epoch seconds as RFC 3339 at whole seconds, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(moment)))
