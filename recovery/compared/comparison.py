"""Compare what came back with what was backed up, entry by entry, and say what was compared and what was not. Knows no program.

Contents are read elsewhere: by restic in the cluster, which tells how many files have every byte right, or as hashes on both
sides. There is no sample: a file whose content was not read is a difference.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from adapters.volsync.results import Checked, Compared, FileEntry, Listing
from engine.text.digest import digest
from engine.text.words import number
from recovery.compared.attributes import Told, attributes, files_told_apart
from recovery.points.losses import by_path


@dataclass(frozen=True)
class Comparison:
    """`differences` empty means: what came back is what was backed up, to the depth that `depth` tells in words.

    `whole` False: one of the lists broke off, so differences speak against the look, not against what came back.
    `downloaded`: bytes that were fetched from the store for it; `from_here`: why contents had to be read from here, or "".
    `of_data`: those of the differences that are about what is there and its bytes, not about owners, modes and the like.
    """

    files: int
    others: int
    told: Told
    downloaded: int
    differences: tuple[str, ...]
    proof: str
    whole: bool = True
    from_here: str = ""
    of_data: tuple[str, ...] = ()

    @property
    def depth(self) -> str:
        """What was compared and what was not, in words for a person."""
        if self.files:
            every = f"every byte of {self.files} file{'s' if self.files > 1 else ''}"
        else:
            every = f"no file at all is in it, only {self.others} folders, links or the like"
        parts = [f"{every}; compared too: {', '.join(self.told.compared)}"]
        if self.told.not_compared:
            parts.append(f"not compared: {', '.join(self.told.not_compared)}")
        if self.from_here:
            parts.append(f"contents downloaded, for the cluster could not compare them ({self.from_here})")
        return "; ".join((*parts, *self.told.remarks, f"{in_bytes(self.downloaded)} downloaded"))


def in_bytes(size: float) -> str:
    """A size for a person, in binary units."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def with_hashes(listing: Listing, hashes: tuple[tuple[str, str], ...]) -> Listing:
    """The listing with these contents' hashes filled in."""
    known = dict(hashes)
    return replace(listing, entries=tuple(replace(e, sha256=known.get(e.path, e.sha256)) for e in listing.entries))


def compare(wanted: Listing, compared: Compared, downloaded: int = 0) -> Comparison:
    """The snapshot's list against what came back. `wanted` has hashes where `compared` was not checked by restic.

    `downloaded` bytes were fetched for the hashes, besides those for the list.
    """
    found, checked = compared.listing, compared.checked
    differences: list[str] = []
    for name, listing in (("snapshot", wanted), ("image", found)):
        if not listing.complete:
            differences.append(f"the {name}'s list broke off: {listing.detail}")
        differences += [f"twice in the {name}'s list: {path}" for path in _twice(listing)]
    left, right = by_path(wanted.entries), by_path(found.entries)
    if not left:
        differences.append("the snapshot's list is empty: there is nothing to prove")
    differences += [f"missing: {path}" for path in sorted(left.keys() - right.keys())]
    differences += [f"not in the snapshot: {path}" for path in sorted(right.keys() - left.keys())]
    both = {path: (left[path], right[path]) for path in sorted(left.keys() & right.keys())}
    alike = {path: pair for path, pair in both.items() if pair[0].kind == pair[1].kind}
    differences += [f"kind ({w.kind}, came back as {f.kind}): {p}" for p, (w, f) in both.items() if w.kind != f.kind]
    differences += [
        f"size ({w.size}, came back as {f.size}): {p}" for p, (w, f) in alike.items() if w.kind == "file" and w.size != f.size
    ]
    if checked is None:
        differences += _by_hash(alike)
    else:
        differences += _by_restic(wanted, checked, len(differences))
    owners_known = wanted.ownership_known and found.ownership_known
    other, told = attributes(alike, owners_known=owners_known, owners_kept=compared.owners_kept)
    files = sum(entry.kind == "file" for entry in left.values())
    return Comparison(
        files,
        len(left) - files,
        told,
        wanted.downloaded + found.downloaded + downloaded,
        tuple(dict.fromkeys((*differences, *other))),
        digest(sorted((*_told(e), e.sha256) for e in left.values())),
        wanted.complete and found.complete,
        "" if checked is not None else compared.problem or "restic was not asked",
        tuple(dict.fromkeys(differences)),
    )


def _by_restic(wanted: Listing, checked: Checked, before: int) -> list[str]:
    """What restic found different; and that its count is wrong, where nothing else says why (`before`: how much was told)."""
    told = [f"content: {path}" for path in checked.changed]
    told += [f"not in the snapshot: {path}" for path in checked.surplus]
    more = checked.differences - len(told)
    if more > 0:
        told.append(f"and {more} more that differ")
    files = files_told_apart({entry.path: entry for entry in wanted.entries})  # those in lost+found too, as restic sees them
    if checked.unchanged != files and not (told or before):
        told.append(f"restic found {checked.unchanged} of {number(files, 'file')} as they were")
    return told


def _by_hash(alike: dict[str, tuple[FileEntry, FileEntry]]) -> list[str]:
    told = []
    for path, (wanted, found) in alike.items():
        if wanted.kind != "file":
            continue
        if not (wanted.sha256 and found.sha256):
            told.append(f"content not read: {path}")
        elif wanted.sha256 != found.sha256:
            told.append(f"content: {path}")
    return told


def _twice(listing: Listing) -> list[str]:
    """Paths that one list tells more than once: only one of their entries could be compared."""
    counted = Counter(entry.path for entry in listing.entries)
    return sorted(path for path, times in counted.items() if times > 1)


def _told(entry: FileEntry) -> tuple[object, ...]:
    attributes_ = [(name, value.hex()) for name, value in entry.xattrs or ()]
    return (
        entry.path, entry.kind, entry.size, entry.mode, entry.uid, entry.gid, str(entry.mtime_ns), entry.target or "",
        entry.link or (), entry.device or (), attributes_,
    )  # fmt: skip
