"""A volume of before against the newest backup: which of the two wins, and that the rule never takes what it cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.kept.results import Found, Word
from adapters.volsync.results import Checked, Compared, FileEntry, Listing
from lab.ports.volumes.claims import checked as restic_says
from lab.world.store import a_file
from recovery.points.weighing import WINS, alone, leaves_nothing, weigh

TAKEN = 1_000_000.0
ID = "a" * 64


def entry(path: str, content: str, at: float = TAKEN - 100) -> FileEntry:
    """A file that was last written then."""
    return replace(a_file(path, content), mtime_ns=int(at * 1e9))


BACKUP = (entry("a", "one"), entry("b", "two"), entry("dir/c", "three" * 40))
LATE = TAKEN + 60


def weighed(*there: FileEntry, restic: bool = True, max_loss: float = 0.01, checked: Checked | None = None, **odd: object) -> Found:
    """What a volume with these entries is, by restic's word in the cluster or by hashes."""
    told = checked or restic_says(BACKUP, there)
    bare = tuple(replace(one, sha256="") for one in there) if restic else there
    listing = replace(Listing(bare, complete=True), **odd)  # type: ignore[arg-type]  # fields by name
    wanted = tuple(replace(one, sha256="") for one in BACKUP) if restic else BACKUP
    return weigh(Listing(wanted, complete=True), Compared(listing, told if restic else None, "no way"), ID, TAKEN, max_loss)


@pytest.mark.parametrize("restic", [True, False])
class TestEitherWay:
    """By restic in the cluster, and by hashes of both sides."""

    def test_the_same_bytes_are_the_same_and_win(self, restic: bool) -> None:
        found = weighed(*BACKUP, restic=restic)
        assert (found.word, found.against) == (Word.SAME, ID)
        assert "every byte of 3 files" in found.told
        assert found.word in WINS

    def test_another_owner_alone_changes_nothing_of_the_data_and_is_told(self, restic: bool) -> None:
        found = weighed(replace(BACKUP[0], uid=0), *BACKUP[1:], restic=restic)
        assert found.word is Word.SAME
        assert "but for 1 owner or mode" in found.told

    @pytest.mark.parametrize("more", [
        (*BACKUP, entry("new", "x", LATE)),
        (entry("a", "one, and more since", LATE), *BACKUP[1:]),
        (entry("a", "eno", LATE), *BACKUP[1:]),
    ])  # fmt: skip
    def test_what_was_written_since_and_has_all_of_the_backup_is_newer(self, restic: bool, more: tuple[FileEntry, ...]) -> None:
        found = weighed(*more, restic=restic)
        assert found.word is Word.NEWER, found
        assert "1 path written after the backup began" in found.told

    def test_what_nobody_wrote_to_and_lacks_something_is_older(self, restic: bool) -> None:
        found = weighed(*BACKUP[:2], restic=restic)
        assert found.word is Word.OLDER
        assert "dir/c" in found.told
        assert leaves_nothing(found)

    def test_an_older_one_with_files_of_its_own_leaves_something_behind(self, restic: bool) -> None:
        found = weighed(*BACKUP[:2], entry("only-here", "x", TAKEN - 500), restic=restic)
        assert (found.word, found.only) == (Word.OLDER, 1)
        assert not leaves_nothing(found)

    def test_an_older_state_of_a_file_is_older(self, restic: bool) -> None:
        found = weighed(entry("a", "before", TAKEN - 900), *BACKUP[1:], restic=restic)
        assert found.word is Word.OLDER
        assert leaves_nothing(found)

    @pytest.mark.parametrize("at", [TAKEN - 50, None])
    def test_a_file_that_may_be_later_than_the_backup_s_is_left_behind_by_nobody(self, restic: bool, at: float | None) -> None:
        other = replace(entry("a", "after", at or TAKEN), **({} if at else {"mtime_ns": None}))
        found = weighed(other, *BACKUP[1:], restic=restic)
        assert (found.word, found.only) == (Word.OLDER, 1)
        assert not leaves_nothing(found)

    def test_other_bytes_under_the_same_time_and_size_are_damage_however_new_the_rest_is(self, restic: bool) -> None:
        rotten = entry("b", "owt")
        for more in ((), (entry("new", "x", LATE),)):
            found = weighed(BACKUP[0], rotten, BACKUP[2], *more, restic=restic)
            assert found.word is Word.DAMAGED
            assert found.told.endswith("knows: b")

    def test_a_volume_that_lost_what_the_backup_has_is_not_sound_however_new_it_is(self, restic: bool) -> None:
        found = weighed(BACKUP[0], entry("b", "two", LATE), restic=restic)
        assert found.word is Word.DAMAGED
        assert "1 of 3 paths and 200 of 206 bytes" in found.told
        assert weighed(BACKUP[0], entry("b", "2nd", LATE), restic=restic, max_loss=1.0).word is Word.NEWER

    def test_an_empty_one_is_damaged_and_never_newer(self, restic: bool) -> None:
        folder = FileEntry("fresh", "dir", 0, 0o755, 0, 0, mtime_ns=int(LATE * 1e9))
        for there in ((), (folder,), (FileEntry("lost+found", "dir", 0, 0o700, 0, 0, mtime_ns=int(LATE * 1e9)),)):
            assert weighed(*there, restic=restic).word is Word.DAMAGED

    def test_what_cannot_be_read_whole_is_not_said_to_be_anything_else(self, restic: bool) -> None:
        found = weighed(*BACKUP, restic=restic, complete=False, detail="read error: Input/output error")
        assert found.word is Word.UNREADABLE
        assert "Input/output error" in found.told

    def test_times_that_nobody_knows_make_nothing_newer(self, restic: bool) -> None:
        assert weighed(*BACKUP, replace(entry("new", "x"), mtime_ns=None), restic=restic).word not in WINS


def test_files_that_restic_counts_as_changed_without_naming_them_are_damage() -> None:
    found = weighed(*BACKUP, entry("new", "x", LATE), checked=Checked(1, 3, (), ("new",)))
    assert found.word is Word.DAMAGED
    assert "2 files" in found.told


def test_what_restic_does_not_name_may_be_damage_where_others_of_the_unchanged_have_another_time_alone() -> None:
    touched = entry("a", "one", LATE)
    found = weighed(touched, *BACKUP[1:], entry("new", "x", LATE), checked=Checked(2, 2, (), ("new",)))
    assert found.word is Word.DAMAGED
    assert "up to 1 file" in found.told
    assert weighed(touched, *BACKUP[1:], entry("new", "x", LATE)).word is Word.NEWER, "a list that is whole names every one"


def test_bytes_that_neither_side_has_read_are_not_the_same() -> None:
    there = replace(BACKUP[0], sha256="")
    listing = Listing((there, *BACKUP[1:], entry("new", "x", LATE)), complete=True)
    wanted = Listing((there, *BACKUP[1:]), complete=True)
    assert weigh(wanted, Compared(listing, None, "no way"), ID, TAKEN, 0.01).word is Word.DAMAGED


def test_alone_it_has_to_be_read_whole_and_to_hold_something() -> None:
    assert alone(Listing(BACKUP, complete=True), "missing").word is Word.ALONE
    assert "the backup is missing" in alone(Listing(BACKUP, complete=True), "missing").told
    assert alone(Listing(BACKUP, complete=False, detail="I/O"), "missing").word is Word.UNREADABLE
    assert alone(Listing((), complete=True), "empty").word is Word.DAMAGED
