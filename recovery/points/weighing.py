"""A volume that outlived its cluster, held against the newest backup: what it is, by a rule that is told. Knows no port.

Both are restore points of one claim. The volume wins where it was written to since and lost no more of what the backup has
than an application may take away, or where it holds just the same; the backup wins in every
other case. Neither is changed by the other's winning.
"""

from __future__ import annotations

from adapters.kept.results import Found, Word
from adapters.volsync.results import Checked, Compared, FileEntry, Listing
from engine.text.words import number, some
from recovery.compared.attributes import files_told_apart
from recovery.compared.comparison import compare
from recovery.points.losses import by_path, losses

WINS = frozenset({Word.SAME, Word.NEWER, Word.ALONE})
"""What the volume has to be to win against the backup. All else is said of one that is left behind."""
_FEW = 3
_NANO = 1e9


def leaves_nothing(found: Found) -> bool:
    """Whether the backup has all that is on the volume: nothing is left behind then when it wins."""
    return found.word is Word.OLDER and not found.only


def weigh(wanted: Listing, compared: Compared, snapshot_id: str, taken: float, max_loss: float) -> Found:
    """What the volume is, against a snapshot of `taken` (epoch seconds): `wanted` is its list, with hashes where `compared` was not
    checked by restic. `max_loss` is the share of paths, or of bytes, that an application may take away by itself."""
    there, old, new = compared.listing, by_path(wanted.entries), by_path(compared.listing.entries)
    if not there.complete:
        return Found(Word.UNREADABLE, f"it cannot be read whole: {there.detail}", snapshot_id)
    comparison = compare(wanted, compared)
    if not comparison.of_data:
        odd = len(comparison.differences)
        beside = f", but for {number(odd, 'owner or mode', 'owners or modes')}" if odd else ""
        return Found(Word.SAME, f"{comparison.depth.partition(';')[0]} as the backup has it{beside}", snapshot_id)
    if not any(entry.kind == "file" for entry in new.values()) and any(entry.kind == "file" for entry in old.values()):
        return Found(Word.DAMAGED, f"no file is on it, and {number(len(old), 'path')} are in the backup", snapshot_id)
    if rotten := _rotten(old, new, compared):
        return Found(Word.DAMAGED, f"other bytes under the time and size that the backup knows: {rotten}", snapshot_id)
    written = [path for path, entry in new.items() if _since(entry, old.get(path), taken)]
    lost = losses(old.values(), new.values())
    if not written:
        told = lost.words if lost.words != "unchanged" else some(list(comparison.of_data), _FEW)
        later = sum(_may_be_newer(old[path], new[path], compared.checked) for path in old.keys() & new.keys())
        only = len(new.keys() - old.keys()) + later
        return Found(Word.OLDER, f"nothing on it was written after the backup began; of that: {told}", snapshot_id, only)
    since = f"{number(len(written), 'path')} written after the backup began ({some(sorted(written), _FEW)})"
    if lost.above(max_loss):
        paths, size = number(lost.paths, "path"), number(lost.size, "byte")
        gone = f"{len(lost.evidence)} of {paths} and {lost.lost} of {size} of the backup are gone"
        return Found(Word.DAMAGED, f"{since}, but {gone}: at most {lost.share(max_loss)} of either may be", snapshot_id)
    return Found(Word.NEWER, f"{since}; of what the backup has: {lost.words}", snapshot_id)


def alone(there: Listing, why: str) -> Found:
    """What it is where there is no backup to hold it against; `why` in words."""
    if not there.complete:
        return Found(Word.UNREADABLE, f"it cannot be read whole: {there.detail}")
    files = sum(entry.kind == "file" for entry in there.entries)
    if not files:
        return Found(Word.DAMAGED, f"no file is on it, and the backup is {why}: nothing says what was")
    return Found(Word.ALONE, f"{number(files, 'file')}, every one readable, and nothing to hold them against: the backup is {why}")


def _since(entry: FileEntry, before: FileEntry | None, taken: float) -> bool:
    """Whether it is seen that it was written after the backup began, and not by what the backup has as well."""
    late = entry.mtime_ns is not None and entry.mtime_ns > taken * _NANO
    return late and (before is None or before.mtime_ns != entry.mtime_ns)


def _rotten(old: dict[str, FileEntry], new: dict[str, FileEntry], compared: Compared) -> str:
    """Files that nobody has written to, and whose bytes are others: by name, or by how many; "" for none."""
    still = {
        path: entry for path, entry in old.items()
        if entry.kind == "file" and path in new and new[path].kind == "file" and _untouched(entry, new[path])
    }  # fmt: skip
    checked = compared.checked
    if checked is None:
        named = sorted(path for path, entry in still.items() if not entry.sha256 or entry.sha256 != new[path].sha256)
    else:
        named = sorted(path for path in checked.changed if path in still)
        # Of a list that is cut nobody says how many of the unchanged are files with another time alone: as many as can be.
        elsewhere = files_told_apart(_of_one_size(old, new, {*still, *checked.changed})) if _is_cut(checked) else 0
        missing = files_told_apart(still) - max(0, checked.unchanged - elsewhere)
        if missing > len(named):
            return f"up to {number(missing, 'file')}, as restic does not name them all" if elsewhere else number(missing, "file")
    return some(named, _FEW) if named else ""


def _of_one_size(old: dict[str, FileEntry], new: dict[str, FileEntry], without: set[str]) -> dict[str, FileEntry]:
    """Files of the backup that are on the volume with as many bytes, but for those paths."""
    return {
        path: entry for path, entry in old.items()
        if entry.kind == "file" and path in new and new[path].size == entry.size and path not in without
    }  # fmt: skip


def _is_cut(checked: Checked) -> bool:
    """Whether restic found more that differs than it names."""
    return checked.differences > len(checked.changed) + len(checked.surplus)


def _may_be_newer(before: FileEntry, now: FileEntry, checked: Checked | None) -> bool:
    """Whether the volume may have a later state of what is in the backup under the same name."""
    if now.kind == "dir":
        return False
    if checked is None:
        alike = before.sha256 == now.sha256 != ""
    else:
        alike = before.size == now.size and now.path not in checked.changed and not _is_cut(checked)
    if before.kind == now.kind == "file" and alike:
        return False
    return before.mtime_ns is None or now.mtime_ns is None or now.mtime_ns > before.mtime_ns


def _untouched(before: FileEntry, now: FileEntry) -> bool:
    return before.mtime_ns is not None and before.mtime_ns == now.mtime_ns and before.size == now.size
