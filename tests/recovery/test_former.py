"""What a repository was at a moment: the last version until then, unless it says deleted; and when it lost what."""

from __future__ import annotations

import random

import pytest

from adapters.versions.results import Version
from recovery.points.former import former, losses, stamp


def made(name: str, at: float, size: int = 10) -> Version:
    return Version(name, f"v{at}", at, size)


def gone(name: str, at: float) -> Version:
    return Version(name, f"m{at}", at, gone=True)


LIVED = [
    made("config", 1), made("keys/k", 1), made("snapshots/a", 10), made("data/aa/1", 9), made("snapshots/b", 20, 30),
    gone("snapshots/a", 100), gone("data/aa/1", 130), made("locks/l", 5), gone("locks/l", 200), made("config", 300, 99),
    gone("snapshots/b", 1000), gone("config", 1010),
]  # fmt: skip


@pytest.mark.parametrize(("moment", "names", "size"), [
    (0.5, [], 0), (1, ["config", "keys/k"], 20), (50, ["config", "data/aa/1", "keys/k", "snapshots/a", "snapshots/b"], 70),
    (100, ["config", "data/aa/1", "keys/k", "snapshots/b"], 60), (299, ["config", "keys/k", "snapshots/b"], 50),
    (300, ["config", "keys/k", "snapshots/b"], 139), (5000, ["keys/k"], 10),
])  # fmt: skip
def test_a_state_is_each_files_last_version_until_then_in_whatever_order_they_are_listed(
    moment: float, names: list[str], size: int
) -> None:
    for seed in range(5):
        history = random.Random(seed).sample(LIVED, len(LIVED))
        state = former(history, moment)
        assert ([one.name for one in state.files], state.size) == (names, size)
        assert state.whole is ("config" in names)
        assert state.digest == former(LIVED, moment).digest


def test_of_two_versions_of_one_moment_the_first_of_the_list_is_the_later() -> None:
    twice = [Version("config", "new", 5, 1), Version("config", "old", 5, 2)]
    assert [one.version_id for one in former(twice, 5).files] == ["new"]
    assert former([gone("config", 5), made("config", 5)], 5).files == ()


def test_losses_are_told_by_the_minute_and_locks_are_none() -> None:
    told = [(one.at, one.snapshots, one.files) for one in losses(LIVED)]
    assert told == [(1000, 1, 1), (300, 0, 1), (100, 1, 1)]
    assert [one.over for one in losses(LIVED)] == [0, 1, 0]
    assert [len(former(LIVED, one.at - 1).snapshots) for one in losses(LIVED)] == [1, 1, 2]
    assert losses(LIVED)[0].before == stamp(999) == "1970-01-01T00:16:39Z"


@pytest.mark.parametrize(("later", "over"), [
    (Version("snapshots/a", "v2", 50, 10, "other"), 1),   # as large as before, and something else: who encrypts in place
    (Version("snapshots/a", "v2", 50, 0, "one"), 1), (Version("snapshots/a", "v2", 50, 11, ""), 1),
    (Version("snapshots/a", "v2", 50, 10, ""), 1),        # whether it is the same nobody says
    (Version("snapshots/a", "v2", 50, 10, "one"), 0),     # sent twice
    (Version("wiki/a", "v2", 50, 10, "other"), 0), (Version("locks/a", "v2", 50, 10, "other"), 0),
])  # fmt: skip
def test_what_was_written_over_is_lost_as_well(later: Version, over: int) -> None:
    first = [Version(later.name, "v1", 10, 10, "one"), made("config", 1)]
    for history in ([later, *first], [*first, later]):
        assert [(one.at, one.over, one.snapshots + one.files) for one in losses(history)] == [(50, 1, 1)] * over


def test_what_is_written_anew_after_it_was_deleted_is_lost_once() -> None:
    history = [Version("index/a", "v1", 10, 10, "one"), gone("index/a", 50), Version("index/a", "v2", 500, 10, "other")]
    assert [(one.at, one.over) for one in losses(history)] == [(50, 0)]


def test_what_else_lies_in_its_bucket_is_no_part_of_a_repository_that_has_it_for_itself() -> None:
    others = [
        made("as-of-20260101T000000Z/config", 30), made("wiki/snapshots/c", 30), made("README", 30), made("data", 30),
        gone("wiki/snapshots/c", 5000),
    ]  # fmt: skip
    assert former([*LIVED, *others], 6000).files == former(LIVED, 6000).files
    assert losses([*LIVED, *others]) == losses(LIVED)
