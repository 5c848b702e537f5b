"""What lies in one server's folder of an archive, read as barman-cloud writes it. Knows no store: it is given a listing.

Layout (of CloudNativePG's plugin and its older in-tree form alike): `base/ID/`, a base backup with its `backup.info`;
`wals/TIMELINE+LOG/SEGMENT[.gz|.bz2|…]`, the write-ahead log.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.archives.bases import Base, read_base
from adapters.archives.histories import owner_words, owners, owners_words, two_lines
from adapters.archives.log import Segment, reach, segment_of
from adapters.archives.points import base_for, point_of
from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint, Undecided
from engine.text.words import number

_ZONE_S = 14 * 3600
"""What names a base backup is the clock on the wall where it was made."""
_NEWEST = 8
"""How many of the newest base backups are asked whether they ended well: what failed is kept beside the good ones."""
_CHOOSE = "--as-of TIME takes what was backed up last by then; give each database a serverName of its own in Git"


@dataclass(frozen=True)
class StoredFile:
    """One file below the server's folder: its path from there, its bytes, and when it was written (epoch seconds)."""

    path: str
    size: int
    written: float


class Files(Protocol):
    """A server's folder. Each raises what its store raises."""

    def folders(self, below: str) -> Iterator[str]:
        """Names of the folders right below this one (which ends with a slash)."""

    def under(self, below: str) -> Iterator[StoredFile]:
        """All files below this folder."""

    def read(self, path: str) -> str | None:
        """A small file's text, None where there is none."""


@dataclass(frozen=True)
class ArchiveServer:
    """One server's folder; `where` is what a person knows it by."""

    files: Files
    where: str

    def look(self) -> ArchiveLook:
        """What is there, and whether a restore could begin from it."""
        bases = sorted(self.files.folders("base/"), reverse=True)
        segment, written = self._newest_segment()
        if not bases and not segment:
            return ArchiveLook(ArchiveVerdict.EMPTY, f"{self.where} was listed, nothing is there")
        asked = bases[:_NEWEST]
        ended = self._ended(asked)
        good = [base for base in ended if not base.lacks]
        odd = _odd(len(asked), ended)
        if not good:
            begun = f"{number(len(bases), 'was', 'were')} begun, and none of the newest {len(asked)} ended well"
            told = ("; ".join(odd) if ended else begun) if bases else "the log alone"
            return ArchiveLook(ArchiveVerdict.NO_BASE, told, segment=segment, segment_time=written)
        newest, *older = sorted(good, key=lambda one: one.ended, reverse=True)
        look = ArchiveLook(
            ArchiveVerdict.OK, "; ".join(odd), len(good) + len(bases) - len(asked), newest.name, newest.ended, segment, written,
            newest.system_id,
        )  # fmt: skip
        log = list(self._log(newest.begin_wal))
        look = replace(look, verdict=ArchiveVerdict.NO_LOG) if not segment else self._with_log(look, newest, older, log)
        mixed = owners_words(owners([*ended, *self._ended(bases[_NEWEST:][-1:])])) or two_lines(log)
        return replace(look, verdict=ArchiveVerdict.MIXED, detail=_told(mixed, look.detail)) if mixed else look

    def point(self, as_of: float) -> RecoveryPoint:
        """What a restore to that time (epoch seconds; 0.0: the end) is promised. PermanentError where there is no way to it;
        Undecided where two databases lie there and no time says which of them is meant."""
        bases = sorted(self.files.folders("base/"), reverse=True)
        # Named by when they began: of those that began later than that none had ended by then.
        latest = time.strftime("%Y%m%dT%H%M%S", time.gmtime(as_of + _ZONE_S)) if as_of else "9"
        asked = [name for name in bases if not name[:1].isdecimal() or name <= latest][:_NEWEST]
        ended = self._ended(asked)
        whose = owners([*ended, *self._ended(name for name in {*bases[:1], *bases[-1:]} if name not in asked)])
        if len(whose) > 1 and not as_of:
            told = "the archive holds base backups of two databases, and nothing says which of them is meant"
            raise Undecided(told, evidence=tuple(map(owner_words, whose)), hint=_CHOOSE)
        base = base_for(ended, as_of)
        log = list(self._log(base.begin_wal))
        lines = two_lines(one for one in log if not as_of or one.written <= as_of)
        if lines and not as_of:
            told = "the archive holds two histories, and nothing says which of them is meant"
            raise Undecided(told, evidence=(lines,), hint=_CHOOSE)
        point = point_of(base, log, as_of)
        mixed = owners_words(whose) or lines
        return replace(point, remark=_told(f"it is system {base.system_id}, and there are {mixed}" if mixed else "", point.remark))

    def _with_log(self, look: ArchiveLook, base: Base, older: Sequence[Base], log: Sequence[Segment]) -> ArchiveLook:
        """How far the log takes the base backup: the segment that is told is the last one that a restore reaches."""
        found = reach(base, log)
        needs = f"base backup {base.name} needs all from {base.begin_wal} to {base.end_wal}"
        if found.missing:
            told = f"segment {found.missing} {'has no bytes' if found.hollow else 'is not there'}, and {needs}"
            return replace(look, verdict=ArchiveVerdict.NO_LOG, detail=_told(told, look.detail, self._older_one(older)))
        assert found.last is not None  # nothing is missing
        look = replace(look, segment=found.last.name, segment_time=found.last.written)
        if not found.beyond:
            return look
        told = f"the log has a gap between {found.last.name} and {found.beyond}: no restore goes beyond it"
        return replace(look, verdict=ArchiveVerdict.GAP, detail=_told(told, look.detail))

    def _older_one(self, older: Sequence[Base]) -> str:
        """Which of the base backups before the newest, newest first, has all the log that it needs; "" where there is no other."""
        for one in older:
            if not reach(one, self._log(one.begin_wal)).missing:
                return f"base backup {one.name} has all the log that it needs: recoveryTarget.backupID takes it"
        return "no other of the newest base backups has all of its log either" if older else ""

    def _newest_segment(self) -> tuple[str, float | None]:
        """The last segment by name of the newest folder that holds any: (name, when written)."""
        for folder in sorted(self.files.folders("wals/"), reverse=True):
            if found := [(one.name, one.written) for one in self._segments(folder)]:
                return max(found)
        return "", None

    def _log(self, begin: str) -> Iterator[Segment]:
        """All of the log from there on, of every timeline; and of each the first and the last folder, where a second database
        would write."""
        folders = sorted(self.files.folders("wals/"))
        first, last = ({one[:8]: one for one in order} for order in (reversed(folders), folders))
        ends = {*first.values(), *last.values()}
        for folder in folders:
            if folder[8:16] >= begin[8:16] or folder in ends:
                yield from self._segments(folder)

    def _segments(self, folder: str) -> Iterator[Segment]:
        for item in self.files.under(f"wals/{folder}/"):
            if (found := segment_of(item.path.rpartition("/")[2], item.size, item.written)) is not None:
                yield found

    def _ended(self, names: Iterable[str]) -> list[Base]:
        """Those of these base backups that ended well."""
        return [base for name in names if (base := self._one_ended(name)) is not None]

    def _one_ended(self, name: str) -> Base | None:
        """None for one that did not end well, or that is still being written."""
        folder = f"base/{name}/"
        info = self.files.read(f"{folder}backup.info")
        if info is None:
            return None
        return read_base(name, info, {item.path.removeprefix(folder): item.size for item in self.files.under(folder)})


def _told(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _odd(asked: int, ended: Sequence[Base]) -> tuple[str, ...]:
    """What is wrong with some of the newest base backups."""
    failed, lacking = asked - len(ended), [base for base in ended if base.lacks]
    told = [f"{failed} of the newest base backups did not end well"] if failed else []
    if lacking:
        told.append(f"{len(lacking)} of the newest base backups cannot be restored: of {lacking[0].name} {lacking[0].lacks}")
    return tuple(told)
