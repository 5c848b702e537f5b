"""What an entry is besides its content: mode, owner, time, target, attributes, links, device. Compared, or said not to be.

What a mover cannot bring back is told and not held against the image: owners where it runs without privileges, and extended
attributes other than `user.*`, which VolSync's never restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adapters.volsync.results import FileEntry
from engine.text.words import number

RESTORED = "user."
"""Extended attributes whose names begin so are restored by a mover, and no others."""

_SPECIAL = 0o6000  # setuid and setgid: a kernel drops them where the group or owner is not the mover's
_STEPS_NS = (1_000_000_000, 1_000_000, 1_000, 100)
"""Steps in which file systems keep times, coarsest first."""

Pairs = Mapping[str, tuple[FileEntry, FileEntry]]
"""Path → the entry of the snapshot and the one that came back, of the same kind."""


@dataclass(frozen=True)
class Told:
    """What was compared, what could not be, and what differs and is no fault of the restore: words for a person."""

    compared: tuple[str, ...]
    not_compared: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass
class _Findings:
    differences: list[tuple[str, str]] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def seen(self, what: str, known: bool) -> bool:
        """Note whether this could be compared, and answer it."""
        (self.compared if known else self.not_compared).append(what)
        return known

    def seen_of(self, what: str, known: int, entries: int) -> bool:
        """The same of so many entries of which each side tells it: those are compared, though others are not known."""
        if known or not entries:
            self.compared.append(what)
        if known < entries:
            self.not_compared.append(f"{what} of {number(entries - known, 'entry', 'entries')}" if known else what)
        return known > 0


def attributes(pairs: Pairs, *, owners_known: bool, owners_kept: bool) -> tuple[tuple[str, ...], Told]:
    """The differences, as `what: path`, and what was compared.

    `owners_kept` False: whoever restored could not set owners.
    """
    found = _Findings()
    found.seen("modes", known=True)
    _owners_and_modes(pairs, found, known=owners_known, kept=owners_kept)
    _times(pairs, found)
    _targets(pairs, found)
    _attributes(pairs, found)
    _links(pairs, found)
    _devices(pairs, found)
    told = Told(tuple(found.compared), tuple(found.not_compared), tuple(found.remarks))
    return tuple(f"{what}: {path}" for path, what in sorted(found.differences)), told


def _owners_and_modes(pairs: Pairs, findings: _Findings, *, known: bool, kept: bool) -> None:
    other = {path: (w, f) for path, (w, f) in pairs.items() if (w.uid, w.gid) != (f.uid, f.gid)}
    # Without privileges all that it made is its own: several owners are not what such a mover leaves behind.
    one_owner = not kept and len({f.uid for _, f in other.values()}) == 1
    if findings.seen("owners", known) and other:
        if one_owner:
            uid = next(iter(other.values()))[1].uid
            entries = number(len(other), "entry", "entries")
            findings.remarks.append(f"{entries} belong to {uid} now, as a mover without privileges leaves them")
        else:
            findings.differences += [
                (path, f"owner ({w.uid}:{w.gid}, came back as {f.uid}:{f.gid})") for path, (w, f) in other.items()
            ]
    dropped = 0
    for path, (wanted, back) in pairs.items():
        if wanted.kind == "symlink" or wanted.mode == back.mode:
            continue
        if known and one_owner and path in other and wanted.mode & ~_SPECIAL == back.mode & ~_SPECIAL:
            dropped += 1
            continue
        findings.differences.append((path, f"mode ({wanted.mode:04o}, came back as {back.mode:04o})"))
    if dropped:
        findings.remarks.append(f"setuid or setgid is gone from {number(dropped, 'entry', 'entries')} of another owner")


def _times(pairs: Pairs, findings: _Findings) -> None:
    known = {p: (w.mtime_ns, f.mtime_ns) for p, (w, f) in pairs.items() if w.mtime_ns is not None and f.mtime_ns is not None}
    if not findings.seen_of("times", len(known), len(pairs)):
        return
    step = next((s for s in _STEPS_NS if all(back % s == 0 for _, back in known.values())), 1)
    cut = 0
    for path, (wanted, back) in known.items():
        if wanted == back:
            continue
        if wanted // step * step == back:
            cut += 1
            continue
        findings.differences.append((path, f"time ({_moment(wanted)}, came back as {_moment(back)})"))
    if cut:
        findings.remarks.append(f"times are kept in steps of {step} ns there")


def _moment(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09} s"


def _targets(pairs: Pairs, findings: _Findings) -> None:
    links = {path: (w.target, f.target) for path, (w, f) in pairs.items() if w.kind == "symlink"}
    known = {path: both for path, both in links.items() if None not in both}
    if links and findings.seen_of("symlinks", len(known), len(links)):
        findings.differences += [(path, "symlink to another place") for path, (wanted, back) in known.items() if wanted != back]


def _attributes(pairs: Pairs, findings: _Findings) -> None:
    known = {path: (w, f) for path, (w, f) in pairs.items() if None not in (w.xattrs, f.xattrs)}
    if not findings.seen_of("extended attributes", len(known), len(pairs)):
        return
    for path, (wanted, back) in known.items():
        if wanted.xattrs != back.xattrs and _restorable(wanted) != _restorable(back):
            findings.differences.append((path, "extended attributes"))
    left = sum(1 for w, _ in known.values() if w.xattrs and len(_restorable(w)) != len(w.xattrs))
    if left:
        entries = number(left, "entry", "entries")
        findings.remarks.append(f"attributes other than {RESTORED}* of {entries} are not restored by a mover")


def _restorable(entry: FileEntry) -> list[tuple[str, bytes]]:
    return [(name, value) for name, value in entry.xattrs or () if name.startswith(RESTORED)]


def _links(pairs: Pairs, findings: _Findings) -> None:
    """Names of one file must be names of one file again, and of no other."""
    findings.seen("hard links", known=True)
    wanted, back = _groups((p, w) for p, (w, _) in pairs.items()), _groups((p, f) for p, (_, f) in pairs.items())
    none: frozenset[str] = frozenset()
    findings.differences += [
        (path, "hard link (its file has other names)")
        for path in (pairs if wanted or back else ())
        if wanted.get(path, none) != back.get(path, none)
    ]


def _groups(entries: Iterable[tuple[str, FileEntry]]) -> dict[str, frozenset[str]]:
    """Path → all names of its file, for files with more than one name among these entries."""
    by_file: dict[tuple[int, int], list[str]] = {}
    for path, entry in entries:
        if entry.link is not None and entry.kind == "file":
            by_file.setdefault(entry.link, []).append(path)
    return {path: frozenset(paths) for paths in by_file.values() if len(paths) > 1 for path in paths}


def files_told_apart(entries: Mapping[str, FileEntry]) -> int:
    """How many files there are, one with several names counted once."""
    files = [entry for entry in entries.values() if entry.kind == "file"]
    return sum(1 for e in files if e.link is None) + len({e.link for e in files if e.link is not None})


def _devices(pairs: Pairs, findings: _Findings) -> None:
    nodes = {path: (w.device, f.device) for path, (w, f) in pairs.items() if w.kind in ("dev", "chardev")}
    known = {path: both for path, both in nodes.items() if None not in both}
    if nodes and findings.seen_of("device numbers", len(known), len(nodes)):
        findings.differences += [
            (path, f"device ({_numbers(w)}, came back as {_numbers(f)})") for path, (w, f) in known.items() if w != f
        ]


def _numbers(device: tuple[int, int] | None) -> str:
    return ":".join(map(str, device or ()))
