"""Snapshots that were made from another one: what they hold, against what their summary says was backed up. Asks nobody.

`restic repair snapshots` cuts the pieces that are gone out of a snapshot's files and takes the old one's summary along: what is
left is whole for every look, and less than was backed up. A rewrite, a tag or a copy names an original too, and lacks nothing.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.backups.results import RestorePoint
from adapters.volsync.results import Listing
from engine.text.words import number


def lacking(point: RestorePoint, listing: Listing) -> str:
    """What is gone from this one since it was backed up, "" for nothing, or where its summary does not tell."""
    if not point.original:
        return ""
    sizes = [entry.size for entry in listing.entries if entry.kind == "file"]
    bytes_gone = max(0, (point.size or 0) - sum(sizes))
    files_gone = max(0, (point.files or 0) - len(sizes))
    gone = [number(count, what) for count, what in ((files_gone, "file"), (bytes_gone, "byte")) if count]
    return f"mended from {point.original[:8]}, {' and '.join(gone)} gone" if gone else ""


def rewritten(point: RestorePoint, *, weighed: bool) -> tuple[str, ...]:
    """What a person should know of one that lacks nothing; `weighed`: whether that was looked at."""
    if not point.original:
        return ()
    told = f"{point.snapshot_id[:8]} was rewritten from {point.original[:8]}"
    if not weighed:
        return (f"{told}, and not compared with what was backed up (--depth tree does)",)
    if point.size is None or point.files is None:
        return (f"{told}, and nothing tells how much that held",)
    return (f"{told}, and holds what its summary says",)


def with_counts(point: RestorePoint, listing: Listing) -> RestorePoint:
    """The point with what its own list counts, where the snapshot carries no summary."""
    if point.files is not None:
        return point
    files = [entry for entry in listing.entries if entry.kind != "dir"]
    return replace(point, files=len(files), size=sum(entry.size for entry in files))
