"""Compare what came back with the snapshot's own list, and say how deep the comparison went. Knows no program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from adapters.volsync.results import FileEntry, Listing
from engine.digest import digest

HASH_ALL_BELOW = 256 << 20
SAMPLE = 200
IGNORED = ("lost+found",)
UNSEEN = ("times", "extended attributes", "hard links")
"""What neither list carries. Nor does `restic ls --json` (0.18) say where a symlink points."""


@dataclass(frozen=True)
class Comparison:
    """`differences` empty means: what came back is what was backed up, to the depth that `depth` tells in words.

    `whole` False: one of the lists broke off, so differences speak against the look, not against what came back.
    """

    files: int
    size: int
    hashed: int
    ownership: bool
    differences: tuple[str, ...]
    proof: str
    whole: bool = True
    links: int = 0

    @property
    def depth(self) -> str:
        """How much was compared and what was not, in words for a person."""
        if self.hashed == self.files:
            told = f"all {self.files} files"
        else:
            told = f"{self.hashed} of {self.files} files by content, the rest by size"
        links = (f"where {self.links} symlink{'s point' if self.links > 1 else ' points'}",) if self.links else ()
        left = ("owners",) if not self.ownership else ()
        return f"{told}; not compared: {', '.join((*left, *links, *UNSEEN))}"


def to_hash(wanted: Listing) -> tuple[str, ...] | None:
    """Paths whose content is to be compared: None for all, else every n-th plus the largest, the same in each run."""
    files = [entry for entry in wanted.entries if entry.kind == "file"]
    if sum(entry.size for entry in files) <= HASH_ALL_BELOW:
        return None
    files.sort(key=lambda entry: entry.path)
    step = max(1, len(files) // SAMPLE)
    sample = {entry.path for entry in files[::step]}
    sample |= {entry.path for entry in sorted(files, key=lambda entry: -entry.size)[:5]}
    return tuple(sorted(sample))


def with_hashes(listing: Listing, hashes: tuple[tuple[str, str], ...]) -> Listing:
    """The listing with these contents' hashes filled in."""
    known = dict(hashes)
    return replace(
        listing, entries=tuple(replace(e, sha256=known.get(e.path, e.sha256)) for e in listing.entries)
    )


def compare(wanted: Listing, found: Listing, content: Collection[str] = ()) -> Comparison:
    """Every entry of both lists: presence, kind, size, mode, owner (where it could be seen), content where both have a hash.

    `content` are paths whose content was to be compared: one that was not read on both sides is a difference, and so is a list
    that broke off. Nothing is proven from half a look.
    """
    differences: list[str] = []
    for name, listing in (("snapshot", wanted), ("image", found)):
        if not listing.complete:
            differences.append(f"the {name}'s list broke off: {listing.detail}")
    left, right = _by_path(wanted), _by_path(found)
    for name, listing in (("snapshot", wanted), ("image", found)):
        differences += [f"twice in the {name}'s list: {path}" for path in _twice(listing)]
    if not left:
        differences.append("the snapshot's list is empty: there is nothing to prove")
    ownership = wanted.ownership_known and found.ownership_known
    differences += [f"missing: {path}" for path in sorted(left.keys() - right.keys())]
    differences += [f"not in the snapshot: {path}" for path in sorted(right.keys() - left.keys())]
    hashed, wanted_content = 0, frozenset(content)
    for path in sorted(left.keys() & right.keys()):
        differences += [f"{what}: {path}" for what in _differs(left[path], right[path], ownership)]
        read = bool(left[path].sha256 and right[path].sha256)
        hashed += left[path].kind == "file" and read
        if path in wanted_content and not read and left[path].kind == right[path].kind == "file":
            differences.append(f"content not read: {path}")
    files = [entry for entry in left.values() if entry.kind == "file"]
    proof = digest(sorted((e.path, e.kind, e.size, e.mode, e.uid, e.gid, e.sha256) for e in left.values()))
    whole = wanted.complete and found.complete
    links = sum(entry.kind == "symlink" for entry in left.values())
    return Comparison(len(files), sum(e.size for e in files), hashed, ownership, tuple(differences), proof, whole, links)


def _by_path(listing: Listing) -> dict[str, FileEntry]:
    return {
        entry.path: entry
        for entry in listing.entries
        if entry.path not in ("", "/", ".") and entry.path.strip("/").split("/")[0] not in IGNORED
    }


def _twice(listing: Listing) -> list[str]:
    """Paths that one list tells more than once: only one of their entries could be compared."""
    counted = Counter(entry.path for entry in listing.entries)
    return sorted(path for path, times in counted.items() if times > 1)


def _differs(wanted: FileEntry, found: FileEntry, ownership: bool) -> list[str]:
    if wanted.kind != found.kind:
        return [f"kind ({wanted.kind}, came back as {found.kind})"]
    told = []
    if wanted.kind == "file" and wanted.size != found.size:
        told.append(f"size ({wanted.size}, came back as {found.size})")
    if wanted.sha256 and found.sha256 and wanted.sha256 != found.sha256:
        told.append("content")
    if wanted.kind != "symlink" and wanted.mode != found.mode:
        told.append(f"mode ({wanted.mode:04o}, came back as {found.mode:04o})")
    if ownership and (wanted.uid, wanted.gid) != (found.uid, found.gid):
        told.append(f"owner ({wanted.uid}:{wanted.gid}, came back as {found.uid}:{found.gid})")
    return told
