"""The comparison proves only what it compared, and says how much that was."""

from __future__ import annotations

from dataclasses import replace

from adapters.volsync.results import FileEntry, Listing
from lab.world.store import a_file
from recovery.comparison import HASH_ALL_BELOW, SAMPLE, compare, to_hash, with_hashes

FILES = (a_file("a", "one"), a_file("b/c", "two"))
NOT_COMPARED = "not compared: times, extended attributes, hard links"


def listed(*entries: FileEntry, **changes: object) -> Listing:
    """A whole list of these."""
    return replace(Listing(entries, complete=True), **changes)  # type: ignore[arg-type]  # fields by name


def test_two_equal_lists_have_no_difference_and_one_proof() -> None:
    first, second = compare(listed(*FILES), listed(*FILES)), compare(listed(*reversed(FILES)), listed(*FILES))
    assert first.differences == second.differences == ()
    assert first.proof == second.proof
    assert first.depth == f"all 2 files; {NOT_COMPARED}"


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
    assert compared.depth == "all 2 files; not compared: owners, times, extended attributes, hard links"


def test_a_content_that_was_not_read_is_not_counted_as_compared() -> None:
    found = listed(replace(FILES[0], sha256=""), FILES[1])
    assert compare(listed(*FILES), found).depth == f"1 of 2 files by content, the rest by size; {NOT_COMPARED}"


def test_a_content_that_was_to_be_read_and_was_not_is_a_difference_on_either_side() -> None:
    unread = listed(replace(FILES[0], sha256=""), FILES[1])
    for sides in ((unread, listed(*FILES)), (listed(*FILES), unread)):
        assert compare(*sides, ["a", "b/c"]).differences == ("content not read: a",)
        assert compare(*sides, ["b/c"]).differences == ()


def test_a_directory_where_a_file_was_and_a_link_s_mode() -> None:
    directory = FileEntry("a", "dir", 0, 0o755, 1000, 1000)
    assert compare(listed(FILES[0]), listed(directory)).differences == ("kind (file, came back as dir): a",)
    link = FileEntry("l", "symlink", 0, 0o777, 1000, 1000)
    compared = compare(listed(FILES[0], link), listed(FILES[0], replace(link, mode=0o755)))
    assert compared.differences == ()
    assert "not compared: where 1 symlink points, times" in compared.depth


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


def test_small_volumes_are_read_whole_and_of_large_ones_the_same_sample_each_time() -> None:
    assert to_hash(listed(*FILES)) is None
    many = [FileEntry(f"f{n:05}", "file", HASH_ALL_BELOW // 1000, 0o644, 0, 0) for n in range(2000)]
    big = FileEntry("z-big", "file", HASH_ALL_BELOW, 0o644, 0, 0)
    sample = to_hash(listed(*many, big))
    assert sample is not None
    assert SAMPLE <= len(sample) <= SAMPLE + 6
    assert "z-big" in sample
    assert sample == to_hash(listed(big, *reversed(many)))


def test_hashes_are_filled_in_by_path() -> None:
    bare = listed(*(replace(entry, sha256="") for entry in FILES))
    assert with_hashes(bare, (("a", FILES[0].sha256),)).entries == (FILES[0], replace(FILES[1], sha256=""))
