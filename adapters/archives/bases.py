"""One base backup as barman-cloud describes it: whether it ended well, what of the log it needs, which of its files are there.

Its folder holds `backup.info`, `data.tar` (`data_0001.tar` and on where it was split) and `OID.tar` for each tablespace, packed or
not; one that is a snapshot of volumes holds no data. Asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from house.files.grammar import number_of

SEGMENT_BYTES = 16 << 20

_FIELD = re.compile(r"^(\w+)=(.*?)\s*$", re.MULTILINE)
_WAL = re.compile(r"[0-9A-F]{24}")
_TABLESPACE = re.compile(r"\(\s*['\"][^'\"]*['\"]\s*,\s*(\d+)\s*,")
_PART = re.compile(r"(?P<stem>data|\d+)(?:_(?P<part>\d{4}))?\.tar(?:\.[a-z0-9]+)?")
_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_NOTHING = ("", "None", "null", "{}", "[]")


@dataclass(frozen=True)
class Base:
    """One that ended well: when (epoch seconds), the first and the last segment that it needs, and how many bytes a segment has.
    `lacks`: what keeps it from being restored, "" for nothing: data that are not there, or it does not say which log it needs.
    `end_lsn` is where it is consistent, in bytes of the log, and `system_id` the database's (0 and "" where it is silent)."""

    name: str
    ended: float
    begin_wal: str
    end_wal: str
    segment_bytes: int = SEGMENT_BYTES
    lacks: str = ""
    end_lsn: int = 0
    system_id: str = ""


def read_base(name: str, info: str, sizes: Mapping[str, int]) -> Base | None:
    """The base backup out of its `backup.info` and the files of its folder (name → bytes); None for one that did not end well."""
    told = {field[1]: field[2].strip("'\"") for field in _FIELD.finditer(info)}
    ended = _time(told.get("end_time", ""))
    if told.get("status") != "DONE" or ended is None:
        return None
    needed = {key: told.get(key, "") for key in ("begin_wal", "end_wal")}
    silent = next((f"its backup.info names no {key}" for key, segment in needed.items() if not _WAL.fullmatch(segment)), "")
    size = told.get("xlog_segment_size", "")
    segment_bytes = number_of(size) or SEGMENT_BYTES
    snapshots = told.get("snapshots_info", "") not in _NOTHING
    lacks = "" if snapshots else _lacks(_TABLESPACE.findall(told.get("tablespaces", "")), sizes)
    system_id = told.get("systemid", "")
    return Base(
        name, ended, needed["begin_wal"], needed["end_wal"], segment_bytes, lacks or silent, lsn_of(told.get("end_xlog", "")) or 0,
        system_id if system_id.isdecimal() else "",
    )  # fmt: skip


def lsn_of(text: str) -> int | None:
    """A place in the log as PostgreSQL writes it (`16/B374D848`), in bytes; None for what is none."""
    found = _LSN.fullmatch(text.strip())
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else None


def lsn_text(lsn: int) -> str:
    """The same as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def _lacks(tablespaces: list[str], sizes: Mapping[str, int]) -> str:
    parts: dict[str, dict[int, int]] = {}
    for name, size in sizes.items():
        if found := _PART.fullmatch(name):
            parts.setdefault(found["stem"], {})[int(found["part"] or 0)] = size
    for stem in ("data", *tablespaces):
        there = parts.get(stem, {})
        for number in range(max(there, default=0) + 1):
            file = f"{stem}_{number:04d}.tar" if number else f"{stem}.tar"
            if number not in there:
                return f"its {file} is not there"
            if not there[number]:
                return f"its {file} has no bytes"
    return ""


def _time(text: str) -> float | None:
    """barman writes `2026-01-02 03:04:05.678+00:00`, older ones the words of ctime."""
    for form in ("%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z", "%a %b %d %H:%M:%S %Y"):
        try:
            read = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    return None
