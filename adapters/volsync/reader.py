"""The reader: the contract of the pod that reads a volume (its script is in script.py), and how its log is read. Knows no HTTP.

The contract. Image: VolSync's mover, or any with a POSIX shell and find, stat (-c), readlink (-n), sort, sed, grep, tr, cut,
xargs (-0 -r), od, head, tail, sha256sum, timeout: busybox or coreutils. With python3 it tells extended attributes; with restic it
compares, two at once where there are awk and nproc. Command `sh -c SCRIPT`; the volume at /data, /tmp writable. Environment:

    LIST_SKIP, LIST_TAKE, LIST_BYTES   so many lines of the list after so many, and no more bytes than that; 0 lists none
    HASH                 all (every regular file of the lines shown), none
    IDENTIFY             `yes`: tell which repository the environment opens, and no more
    SNAPSHOT             hold the volume against this snapshot; where restic cannot, every file is hashed instead
    REPOSITORY_ID        only if this is the id of the repository that the environment opens
    AT_ONCE              2: two restics may hold a large volume together, each a half of it; else one does
    OPEN_S               seconds after which a repository that does not open is given up
    OWNERSHIP            `unknown` where whoever runs the pod cannot show true owners (a user namespace); else not set

The log, line by line; a path is relative to the volume, and odd ones come as hexadecimal bytes:

    o known|unknown      whether uid and gid mean something. Always the first line: without it the log lost its head
    r ok UNCHANGED DIFFERENCES | r unable | r other ID     what restic said of the snapshot; of another repository, its id
    r id ID              the repository, where nothing else was asked
    d JSON               what restic would change, the first thousand
    ? TEXT               restic's last words where it was unable
    a known|unknown      whether extended attributes could be read
    e META ./PATH  x META ./HEX     one entry; META is mode in hexadecimal, uid, gid, size, links, device, inode, major and
                                    minor in hexadecimal, mtime in seconds, and again as `date time` with nanoseconds
    s PATH//TARGET  S HEX HEX       where a symlink points
    u HEX HEX HEX|-                 path, name and value of one attribute
    h SHA256 PATH  k SHA256 HEX     one file's content
    ! MESSAGE            something could not be read: the list is not complete
    end SHOWN TOTAL      lines of the list (e, x, s, S, u) in this log, and in all; without it the log broke off

`lost+found` at the top is left out (restic's mover leaves it out too), and so is the volume's own directory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.volsync.results import Checked, FileEntry, Snapshot
from engine.text.jsontext import read

LIST_TAKE = 40_000
LIST_BYTES = 3 << 20
"""With hashes, and what a container engine puts before each line, below the 10 MiB at which a kubelet turns a log over."""
OPEN_S = 120

_META = re.compile(
    r"([0-9a-f]+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) (-?\d+)"
    r" \S+ [\d:]+(?:\.(\d+))?(?: [+-]\d{4})? \./(.*)",
    re.DOTALL,
)
# restic's words for what a directory entry is, by the upper bits of st_mode.
_KINDS = {
    0x8000: "file",
    0x4000: "dir",
    0xA000: "symlink",
    0x6000: "dev",
    0x2000: "chardev",
    0x1000: "fifo",
    0xC000: "socket",
}


@dataclass(frozen=True)
class Request:
    """What one run of the reader is asked: a stretch of the list, whether to hash its files, a snapshot to hold it against; or
    which repository it opens, and nothing of any volume."""

    skip: int = 0
    take: int = LIST_TAKE
    hashed: bool = False
    against: Snapshot | None = None
    identify: bool = False

    def environment(self) -> dict[str, str]:
        """As the script's environment."""
        compared = {"SNAPSHOT": self.against.snapshot_id, "REPOSITORY_ID": self.against.repository_id} if self.against else {}
        if self.identify:
            compared = {"IDENTIFY": "yes"}
        return {
            "LIST_SKIP": str(self.skip),
            "LIST_TAKE": str(self.take),
            "LIST_BYTES": str(LIST_BYTES),
            "HASH": "all" if self.hashed else "none",
            "OPEN_S": str(OPEN_S),
            **compared,
        }


@dataclass(frozen=True)
class Reading:
    """What one run's log holds. `ended` False: it broke off. `problems` not empty: something could not be read.

    `unable` and `other_repository`: why restic compared nothing, or the id of the repository that it found instead. `repository`
    is its id where that was asked.
    """

    entries: tuple[FileEntry, ...]
    targets: dict[str, str]
    attributes: dict[str, tuple[tuple[str, bytes], ...]]
    sums: dict[str, str]
    ownership_known: bool
    attributes_known: bool
    problems: tuple[str, ...]
    shown: int
    total: int
    ended: bool
    checked: Checked | None = None
    unable: str = ""
    other_repository: str = ""
    repository: str = ""


@dataclass
class _Log:
    """A log while it is read. Each method takes the rest of one line."""

    entries: list[FileEntry] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    owners: str = ""
    attributes_known: bool = False
    lines: int = 0
    shown: int = 0
    total: int = 0
    ended: bool = False
    restic: str = ""
    counts: tuple[int, int] = (0, 0)
    words: list[str] = field(default_factory=list)
    differ: list[tuple[str, str]] = field(default_factory=list)

    def owner(self, rest: str) -> None:
        if self.lines or self.restic or rest not in ("known", "unknown"):
            raise ValueError("the reader's first line is not its first")
        self.owners = rest

    def entry(self, rest: str) -> None:
        self.lines += 1
        self.entries.append(_entry(rest, str, () if self.attributes_known else None))

    def odd_entry(self, rest: str) -> None:
        self.lines += 1
        self.entries.append(_entry(rest, _bytes, () if self.attributes_known else None))

    def target(self, rest: str) -> None:
        self.lines += 1
        path, _, to = rest.partition("//")
        self.targets[path] = to

    def odd_target(self, rest: str) -> None:
        self.lines += 1
        path, _, to = rest.partition(" ")
        self.targets[_bytes(path)] = _bytes(to)

    def attribute(self, rest: str) -> None:
        self.lines += 1
        path, name, value = rest.split(" ")
        self.attributes.setdefault(_bytes(path), []).append((_bytes(name), bytes.fromhex(value.strip("-"))))

    def sum(self, rest: str) -> None:
        self._summed(rest, str)

    def odd_sum(self, rest: str) -> None:
        self._summed(rest, _bytes)

    def _summed(self, rest: str, path: Callable[[str], str]) -> None:
        sha256, _, name = rest.partition(" ")
        if len(sha256) != 64:
            raise ValueError(f"no SHA-256: {sha256[:80]!r}")
        self.sums[path(name)] = sha256

    def attributes_line(self, rest: str) -> None:
        self.attributes_known = rest == "known"

    def said(self, rest: str) -> None:
        self.restic, _, more = rest.partition(" ")
        if self.restic == "ok":
            unchanged, differences = more.split(" ")
            self.counts = (int(unchanged), int(differences))
        elif self.restic in ("other", "id"):
            self.words = [more]

    def differing(self, rest: str) -> None:
        self.differ.append(read(rest, lambda told: (str(told["action"]), str(told["item"]).lstrip("/"))))

    def end(self, rest: str) -> None:
        self.shown, self.total = (int(number) for number in rest.split())
        self.ended = True


_LINES: dict[str, Callable[[_Log, str], None]] = {
    "o": _Log.owner,
    "e": _Log.entry,
    "x": _Log.odd_entry,
    "s": _Log.target,
    "S": _Log.odd_target,
    "u": _Log.attribute,
    "h": _Log.sum,
    "k": _Log.odd_sum,
    "a": _Log.attributes_line,
    "r": _Log.said,
    "d": _Log.differing,
    "?": lambda log, rest: log.words.append(rest),
    "!": lambda log, rest: log.problems.append(rest),
    "end": _Log.end,
}


def read_log(log: bytes) -> Reading:
    """The reading of one run's log. Raises ValueError for a line that is none of the contract's."""
    seen = _Log()
    # What follows the last newline is a line that was cut off; then there is no `end` either.
    for raw in log.split(b"\n")[:-1]:
        line = raw.decode("utf-8", "surrogateescape")
        mark, _, rest = line.partition(" ")
        if mark in _LINES:
            _LINES[mark](seen, rest)
        elif line:
            raise ValueError(f"a line that the reader does not print: {line[:80]!r}")
    # A log that lost its head or lines from its middle has an end all the same.
    whole = seen.ended and bool(seen.owners) and seen.lines == seen.shown
    other = seen.words[0] if seen.restic == "other" and seen.words else ""
    return Reading(
        tuple(seen.entries),
        seen.targets,
        {path: tuple(sorted(found)) for path, found in seen.attributes.items()},
        seen.sums,
        seen.owners == "known",
        seen.attributes_known,
        tuple(seen.problems),
        seen.shown,
        seen.total,
        whole,
        _checked(seen) if seen.restic == "ok" else None,
        "; ".join(seen.words) or "restic said nothing" if seen.restic == "unable" else "",
        other,
        seen.words[0] if seen.restic == "id" and seen.words else "",
    )


def _checked(seen: _Log) -> Checked:
    named = {action: tuple(path for which, path in seen.differ if which == action) for action in ("updated", "deleted")}
    return Checked(*seen.counts, changed=named["updated"], surplus=named["deleted"])


def _entry(rest: str, path: Callable[[str], str], xattrs: tuple[()] | None) -> FileEntry:
    found = _META.fullmatch(rest)
    if found is None:
        raise ValueError(f"no entry: {rest[:80]!r}")
    mode, uid, gid, size, links, device, inode, major, minor, seconds, fraction, name = found.groups()
    bits = int(mode, 16)
    kind = _KINDS.get(bits & ~0o7777, "")
    if not kind:
        raise ValueError(f"no kind of entry that there is: {rest[:80]!r}")
    return FileEntry(
        path=path(name),
        kind=kind,
        size=int(size) if kind == "file" else 0,
        mode=bits & 0o7777,
        uid=int(uid),
        gid=int(gid),
        mtime_ns=int(seconds) * 10**9 + int((fraction or "")[:9].ljust(9, "0")),
        link=(int(device), int(inode)) if kind == "file" and int(links) > 1 else None,
        device=(int(major, 16), int(minor, 16)) if kind in ("dev", "chardev") else None,
        xattrs=xattrs,
    )


def _bytes(text: str) -> str:
    return bytes.fromhex(text).decode("utf-8", "surrogateescape")


def joined(readings: list[Reading]) -> tuple[FileEntry, ...]:
    """The entries of a list that came in stretches, each with what other lines tell of it."""
    known = all(reading.attributes_known for reading in readings)
    targets = {path: to for reading in readings for path, to in reading.targets.items()}
    sums = {path: sha256 for reading in readings for path, sha256 in reading.sums.items()}
    attributes: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for reading in readings:
        for path, found in reading.attributes.items():
            attributes[path] = tuple(sorted((*attributes.get(path, ()), *found)))

    def whole(entry: FileEntry) -> FileEntry:
        more: dict[str, Any] = {}
        if (sha256 := sums.get(entry.path)) is not None:
            more["sha256"] = sha256
        if entry.kind == "symlink":
            more["target"] = targets.get(entry.path)
        if (found := attributes.get(entry.path, ()) if known else None) != entry.xattrs:
            more["xattrs"] = found
        return replace(entry, **more) if more else entry  # of 20,000 files most have nothing else, and a copy is dear

    return tuple(whole(entry) for reading in readings for entry in reading.entries)
