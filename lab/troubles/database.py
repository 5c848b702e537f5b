"""What can be wrong with a database's archive, by name, and whether its operator calls the database healthy meanwhile.

Knows no house.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from house.values.databases import DatabaseArchive
from lab.troubles.seen import WITHIN_S
from lab.world.archives import ArchiveFiles, log_path

Change = Callable[[ArchiveFiles], None]
STRANGER = "7599999999999999999"
"""PostgreSQL's system identifier of a database that is not the house's."""
_HOUR_S = 3600.0
_LOG_S = DatabaseArchive.max_log_age + WITHIN_S
_TWICE_S = 2 * _HOUR_S + WITHIN_S
"""Out of order by an hour, and for an hour: adapters/archives/histories.py."""


@dataclass(frozen=True)
class DatabaseTrouble:
    """One named trouble of an archive that was in order: `says` is a word of what its row tells.

    `change` does it to its files. `stops`: nothing is restored from it, whatever a person says; else a consent that names it does.
    `well`: the operator's own word on the database and on its archiving is good meanwhile. `refused`: the store refuses its key.
    `seen_within_s` is when a look must name it at the latest after it began; what age tells of is as old as that when it is armed.
    """

    name: str
    what: str
    says: str
    change: Change
    stops: bool = True
    well: bool = True
    refused: bool = False
    seen_within_s: float = WITHIN_S


def _without(words: str) -> Change:
    """Nothing is left whose path begins so."""

    def change(archive: ArchiveFiles) -> None:
        for path in [path for path in archive.files if path.startswith(words)]:
            del archive.files[path]

    return change


def _hollow(words: str) -> Change:
    """What ends so has no bytes any more."""

    def change(archive: ArchiveFiles) -> None:
        for path, (_, written) in archive.files.items():
            if path.endswith(words):
                archive.files[path] = (b"", written)

    return change


def _said(old: str, new: str) -> Change:
    """Every base backup says that instead."""

    def change(archive: ArchiveFiles) -> None:
        for path, (content, written) in archive.files.items():
            if path.endswith("backup.info"):
                archive.files[path] = (content.decode().replace(old, new).encode(), written)

    return change


def _numbers(archive: ArchiveFiles) -> list[str]:
    """The files of its log, in order."""
    return sorted(path for path in archive.files if path.startswith("wals/"))


def _lose(archive: ArchiveFiles, place: int) -> None:
    del archive.files[_numbers(archive)[place]]


def _older(archive: ArchiveFiles, hours: float, words: str = "") -> None:
    for path, (content, written) in archive.files.items():
        if path.startswith(words):
            archive.files[path] = (content, written - hours * _HOUR_S)


def _stale(archive: ArchiveFiles) -> None:
    """Nothing was archived for days, base backups neither: their own words are as old."""
    made, first = ArchiveFiles(), _first(archive)
    made.base(archive.newest - 75 * _HOUR_S, _system(archive), first)
    made.log(range(first, first + 4), archive.newest - 75 * _HOUR_S, _HOUR_S)
    archive.files = made.files


def _log_stopped(archive: ArchiveFiles) -> None:
    """A base backup was made, and the log of the hours since then never came."""
    made, first = ArchiveFiles(), _first(archive)
    made.base(archive.newest - 9 * _HOUR_S, _system(archive), first)
    made.log(range(first, first + 2), archive.newest - 9 * _HOUR_S, 60.0)
    archive.files = made.files


def _another_beside(archive: ArchiveFiles) -> None:
    """A database that came up empty made its first base backup there, and archives on."""
    archive.base(archive.newest - 60.0, STRANGER, 2)
    archive.log(range(1, 3), archive.newest - 60.0, 30.0)


def _empty_one_begins(archive: ArchiveFiles) -> None:
    """The same before its first base backup: its log alone tells."""
    first = min(number for number in (_number(path) for path in _numbers(archive)))
    archive.log(range(first - 2, first), archive.newest - 1.5 * _HOUR_S, 1.5 * _HOUR_S)
    _older(archive, 4.0, log_path(first)[: -len(".gz")])


def _two_go_on(archive: ArchiveFiles) -> None:
    """A copy of it was started for a drill, took the next timeline, and both archive since."""
    numbers = [_number(path) for path in _numbers(archive)]
    archive.log(range(numbers[1], numbers[1] + 3), archive.newest - 6 * _HOUR_S, _HOUR_S, timeline=2)
    archive.log(range(numbers[-1] + 1, numbers[-1] + 3), archive.newest, 600.0)


def _number(path: str) -> int:
    name = path.rpartition("/")[2][:24]
    return int(name[8:16], 16) * 256 + int(name[16:], 16)


def _first(archive: ArchiveFiles) -> int:
    return _number(_numbers(archive)[0])


def _system(archive: ArchiveFiles) -> str:
    """Whose base backups they are."""
    said = next(content for path, (content, _) in archive.files.items() if path.endswith("backup.info")).decode()
    return said.partition("systemid=")[2].partition("\n")[0]


def _all() -> Iterator[DatabaseTrouble]:
    kind = DatabaseTrouble
    yield kind("archive-gone", "nothing lies under its server name", "empty: ", _without(""))
    yield kind("archive-without-base", "its base backups are gone", "no base backup: the log alone", _without("base/"))
    yield kind("archive-base-failed", "its base backups did not end well", "none of the newest", _said("DONE", "FAILED"))
    yield kind("archive-base-hollow", "its base backups have no bytes", "has no bytes", _hollow("data.tar.gz"))
    yield kind("archive-base-without-log", "the log that a base backup needs is gone", "is not there, and base backup",
               lambda archive: _lose(archive, 0))  # fmt: skip
    yield kind("archive-gap", "a segment in the middle of its log is gone", "the log has a gap between",
               lambda archive: _lose(archive, 2), stops=False)  # fmt: skip
    yield kind("archive-segment-hollow", "a segment in the middle of its log has no bytes", "the log has a gap between",
               lambda archive: _hollow(_numbers(archive)[2])(archive), stops=False)  # fmt: skip
    yield kind("archive-stale", "nothing was archived for three days", "the log ended ", _stale, stops=False,
               seen_within_s=_LOG_S)  # fmt: skip
    yield kind("archive-log-stopped", "its log stopped hours ago", "the log ended ", _log_stopped, stops=False,
               seen_within_s=_LOG_S)  # fmt: skip
    yield kind("archive-of-two", "an empty database of its name made a base backup there", "base backups of 2 databases",
               _another_beside)  # fmt: skip
    yield kind("archive-begun-again", "an empty database of its name archives there", "which comes behind it in the log",
               _empty_one_begins, seen_within_s=_TWICE_S)  # fmt: skip
    yield kind("archive-written-twice", "a copy of it archives to the same place", "was still written to at", _two_go_on,
               seen_within_s=_TWICE_S)  # fmt: skip
    yield kind("archive-of-another", "its base backups are another database's", "another database's",
               _said("systemid=7", "systemid=6"))  # fmt: skip
    yield kind("archive-key-refused", "the store refuses its key", "refused: ", lambda archive: None, well=False, refused=True)


DATABASE_TROUBLES = {trouble.name: trouble for trouble in _all()}
