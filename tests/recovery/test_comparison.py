"""The comparison proves only what it compared, and says how much that was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.volsync.results import Checked, Compared, FileEntry, Listing
from lab.world.store import a_file
from recovery.compared.comparison import Comparison, in_bytes, with_hashes
from recovery.compared.comparison import compare as compare_lists

FILES = (a_file("a", "one"), a_file("b/c", "two"))


def listed(*entries: FileEntry, **changes: object) -> Listing:
    """A whole list of these."""
    return replace(Listing(entries, complete=True), **changes)  # type: ignore[arg-type]  # fields by name


def compare(wanted: Listing, found: Listing, *, owners_kept: bool = True, downloaded: int = 0) -> Comparison:
    """By hashes on both sides, as where restic could not be asked in the cluster."""
    return compare_lists(wanted, Compared(found, None, "no way to the store", owners_kept), downloaded)


def by_restic(wanted: Listing, found: Listing, checked: Checked, *, owners_kept: bool = True) -> Comparison:
    """Contents judged by restic in the cluster, so there is no hash on either side."""
    bare = [replace(one, entries=tuple(replace(e, sha256="") for e in one.entries)) for one in (wanted, found)]
    return compare_lists(bare[0], Compared(bare[1], checked, "", owners_kept))


def test_two_equal_lists_have_no_difference_and_one_proof() -> None:
    first, second = compare(listed(*FILES), listed(*FILES)), compare(listed(*reversed(FILES)), listed(*FILES))
    assert first.differences == second.differences == ()
    assert first.proof == second.proof
    assert first.depth == (
        "every byte of 2 files; compared too: modes, owners, hard links; not compared: times, extended attributes;"
        " contents downloaded, for the cluster could not compare them (no way to the store); 0 B downloaded"
    )


def test_nothing_at_all_proves_nothing() -> None:
    assert compare(listed(), listed()).differences == ("the snapshot's list is empty: there is nothing to prove",)


def test_half_a_list_on_either_side_is_a_difference() -> None:
    half = listed(*FILES, complete=False, detail="broke")
    assert compare(half, listed(*FILES)).differences == ("the snapshot's list broke off: broke",)
    assert compare(listed(*FILES), half).differences == ("the image's list broke off: broke",)


def test_lost_and_found_is_the_file_system_s_own() -> None:
    extra = FileEntry("lost+found", "dir", 0, 0o700, 0, 0)
    assert compare(listed(*FILES), listed(*FILES, extra)).differences == ()


def test_owners_are_compared_only_where_both_sides_know_them_and_that_is_told() -> None:
    found = listed(replace(FILES[0], uid=0), FILES[1], ownership_known=False)
    compared = compare(listed(*FILES), found)
    assert compared.differences == ()
    assert "not compared: owners, times, extended attributes" in compared.depth


def test_a_content_that_was_not_read_is_a_difference_on_either_side() -> None:
    unread = listed(replace(FILES[0], sha256=""), FILES[1])
    for sides in ((unread, listed(*FILES)), (listed(*FILES), unread)):
        assert compare(*sides).differences == ("content not read: a",)


def test_a_list_of_two_gibibytes_is_compared_to_its_last_file_and_not_sampled() -> None:
    many = [FileEntry(f"f{n:05}", "file", 1 << 20, 0o644, 0, 0, f"{n:064}") for n in range(2048)]
    for at in (7, 1041, 2047):
        other = [*many[:at], replace(many[at], sha256="f" * 64), *many[at + 1 :]]
        assert compare(listed(*many), listed(*other)).differences == (f"content: f{at:05}",)


def test_what_restic_found_is_the_judgement_of_the_contents() -> None:
    whole = by_restic(listed(*FILES), listed(*FILES), Checked(2, 0))
    assert whole.differences == ()
    assert whole.depth.startswith("every byte of 2 files; compared too: modes") and "for the cluster" not in whole.depth
    changed = by_restic(listed(*FILES), listed(*FILES), Checked(1, 1, changed=("a",)))
    assert changed.differences == ("content: a",)
    surplus = by_restic(listed(*FILES), listed(*FILES, a_file("x", "")), Checked(2, 1, surplus=("x",)))
    assert surplus.differences == ("not in the snapshot: x",)
    unnamed = by_restic(listed(*FILES), listed(*FILES), Checked(0, 2, changed=("a",)))
    assert unnamed.differences == ("content: a", "and 1 more that differ")


@pytest.mark.parametrize("unchanged", [0, 1, 3])
def test_restic_must_have_found_as_many_files_right_as_there_are(unchanged: int) -> None:
    compared = by_restic(listed(*FILES), listed(*FILES), Checked(unchanged, 0))
    assert compared.differences == (f"restic found {unchanged} of 2 files as they were",)


def test_a_file_with_two_names_is_one_file_to_restic() -> None:
    names = [replace(a_file(name, "one"), link=(1, 5)) for name in ("a", "b")]
    assert by_restic(listed(*names), listed(*names), Checked(1, 0)).differences == ()
    assert by_restic(listed(*names), listed(*names), Checked(2, 0)).differences


def test_a_snapshot_without_a_file_says_so() -> None:
    folder = FileEntry("empty", "dir", 0, 0o755, 1000, 1000)
    compared = by_restic(listed(folder), listed(folder), Checked(0, 0))
    assert compared.differences == ()
    assert compared.depth.startswith("no file at all is in it, only 1 folders, links or the like")
    assert "every byte" not in compared.depth


def test_what_was_downloaded_is_a_figure_of_the_depth() -> None:
    wanted = replace(listed(*FILES), downloaded=3 << 20)
    assert compare(wanted, listed(*FILES), downloaded=1 << 20).depth.endswith("; 4.0 MiB downloaded")
    assert [in_bytes(n) for n in (0, 1023, 1024, 5 << 20, 3 << 30)] == ["0 B", "1023 B", "1.0 KiB", "5.0 MiB", "3.0 GiB"]


def test_a_directory_where_a_file_was_and_a_link_s_mode() -> None:
    directory = FileEntry("a", "dir", 0, 0o755, 1000, 1000)
    assert compare(listed(FILES[0]), listed(directory)).differences == ("kind (file, came back as dir): a",)
    link = FileEntry("l", "symlink", 0, 0o777, 1000, 1000)
    compared = compare(listed(FILES[0], link), listed(FILES[0], replace(link, mode=0o755)))
    assert compared.differences == ()
    assert "not compared: times, symlinks, extended attributes" in compared.depth


def test_a_folder_named_data_is_a_folder_of_the_volume_like_any_other() -> None:
    volume = (a_file("a", "one"), FileEntry("data", "dir", 0, 0o755, 1000, 1000), a_file("data/a", "one"), a_file("data/b", "two"))
    assert compare(listed(*volume), listed(*volume)).differences == ()
    wanted = listed(a_file("a", "one"), a_file("data/a", "one"), a_file("data/b", "two"))
    flat = compare(wanted, listed(a_file("a", "one"), a_file("b", "two")))
    assert flat.differences == ("missing: data/a", "missing: data/b", "not in the snapshot: b")


def test_a_path_that_a_list_tells_twice_is_a_difference_on_either_side() -> None:
    twice = listed(*FILES, a_file("a", "another"))
    assert compare(twice, listed(*FILES)).differences[0] == "twice in the snapshot's list: a"
    assert compare(listed(*FILES), twice).differences[0] == "twice in the image's list: a"
    same = listed(*FILES, FILES[0])
    assert compare(same, same).differences == ("twice in the snapshot's list: a", "twice in the image's list: a")


def test_hashes_are_filled_in_by_path() -> None:
    bare = listed(*(replace(entry, sha256="") for entry in FILES))
    assert with_hashes(bare, (("a", FILES[0].sha256),)).entries == (FILES[0], replace(FILES[1], sha256=""))
