"""A lock file that cannot be read is refused, each with what helps; one that is not there knows nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.files.quantity import bytes_of
from house.files.whole import write_file
from house.known.lock import LOCK_FILE, LockedClaim, drops, outgrown, read_lock, write_lock
from tests.builders import a_claim

KNOWN = LockedClaim("apps/notes", "ab" * 32, 7, 4096, 1_700_000_000.0)
ANEW = "take the file back from Git, or move it aside and let invoke dr.audit --lock write a new one"


def test_no_file_knows_nothing_and_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / LOCK_FILE
    assert read_lock(file) == ()
    write_lock(file, [KNOWN])
    assert read_lock(file) == (KNOWN,)
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(SettingsInvalid, match="cannot be written"):
        write_file(tmp_path / "file", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"{LOCK_FILE}: is empty; {ANEW}"),
        ("# only this\n", f"{LOCK_FILE}: is empty; {ANEW}"),
        ("claim: {}\n", f"{LOCK_FILE}:1: claims: is missing; {ANEW}"),
        ("claims:\n  apps/notes: {count: 1}\n", f"{LOCK_FILE}:2: claims.apps/notes: is no entry of a lock file; {ANEW}"),
        ("claims: {}\n---\nclaims: {}\n", f"{LOCK_FILE}:3: a second document begins here, which is not read; keep one document"),
    ],
)
def test_what_is_no_lock_is_refused_and_not_written_over(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / LOCK_FILE
    file.write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        read_lock(file)
    assert caught.value.evidence == (said,)
    with pytest.raises(SettingsInvalid):
        write_lock(file, [KNOWN])
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("count", "size", "date", "told"),
    [
        (7, 4096, KNOWN.date, ()),
        (4, 2048, KNOWN.date + 3600, ()),
        (4, None, KNOWN.date, ()),
        (3, 4096, KNOWN.date, ("fewer than half of the snapshots that the lock file knows (3, then 7)",)),
        (7, 2047, KNOWN.date, ("less than half of the bytes that the lock file knows (2047, then 4096)",)),
        (
            7, 4096, KNOWN.date - 1,
            ("a newest snapshot older than the one that the lock file knows (2023-11-14T22:13:19Z, then 2023-11-14T22:13:20Z)",),
        ),
    ],
)  # fmt: skip
def test_a_sudden_drop_is_told_and_a_slow_change_is_not(
    count: int, size: int | None, date: float, told: tuple[str, ...]
) -> None:
    assert drops(KNOWN, count, size, date) == told


def test_a_volume_that_is_smaller_than_the_last_known_backup_is_told_offline() -> None:
    claim = replace(a_claim(), capacity=KNOWN.bytes - 1)
    (note,) = outgrown([replace(KNOWN, claim=claim.key)], [claim, a_claim("photos")])
    assert f"had {KNOWN.bytes:,} bytes" in note.what and str(note).endswith(f"has {KNOWN.bytes - 1:,}; give it more capacity")
    assert f"{note.file}:{note.line}" == claim.declared_in
    assert outgrown([replace(KNOWN, claim=claim.key)], [replace(claim, capacity=KNOWN.bytes)]) == []
    assert outgrown([], [claim]) == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("100Mi", 100 << 20), ("1G", 10**9), ("1.5Gi", 3 << 29), ("2e3", 2000), ("5", 5), ("", 0), ("much", 0), ("10GB", 0)],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, size: int) -> None:
    assert bytes_of(text) == size
