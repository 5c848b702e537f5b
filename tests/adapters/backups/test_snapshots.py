"""What restic keeps becomes restore points and lists: times, pins, sizes, and which snapshot is suspiciously small."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.backups.snapshots import pin_of, restore_points
from engine.text.jsontext import Malformed, an_object, read

MIB = 1 << 20


def kept(*sizes: tuple[int, int] | None, **changes: Any) -> list[dict[str, Any]]:
    """One snapshot a day with (files, bytes) each; None for one without a summary."""
    raw = []
    for day, size in enumerate(sizes, 1):
        one: dict[str, Any] = {
            "time": f"2026-01-{day:02}T03:00:00.999999999Z", "id": f"{day:064x}", "hostname": "volsync", "paths": ["/data"],
        }  # fmt: skip
        if size:
            one["summary"] = {"total_files_processed": size[0], "total_bytes_processed": size[1]}
        raw.append(one | changes)
    return raw


def complete(*sizes: tuple[int, int] | None) -> list[bool]:
    """Of each snapshot, oldest first."""
    return [point.complete for point in reversed(restore_points("r", kept(*sizes)))]


def test_newest_first_and_the_pin_is_cut_to_the_second() -> None:
    points = restore_points("repo", kept((1, 2), (3, 4)))
    assert [point.pin for point in points] == ["2026-01-02T03:00:00Z", "2026-01-01T03:00:00Z"]
    assert (points[0].files, points[0].size, points[0].repository_id) == (3, 4, "repo")
    assert points[0].time == pytest.approx(1767322800.999999, abs=1e-5)
    assert pin_of(1767322800.999999) == "2026-01-02T03:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-01-02T05:00:00.5+02:00", "2026-01-02T03:00:00.500000001Z", "2026-01-01T20:00:00.5-07:00"]
)
def test_every_zone_and_precision_gives_the_same_pin(text: str) -> None:
    (point,) = restore_points("r", kept((1, 1), time=text))
    assert (point.pin, point.time) == ("2026-01-02T03:00:00Z", 1767322800.5)


def test_no_summary_means_sizes_unknown_not_zero() -> None:
    (point,) = restore_points("r", kept(None))
    assert (point.files, point.size, point.complete) == (None, None, True)


def test_what_a_snapshot_was_made_from_is_told() -> None:
    made = [point.original for one in ("", "cd" * 32) for point in restore_points("r", kept((1, 1), original=one))]
    assert made == ["", "cd" * 32]


def test_one_far_smaller_than_those_before_it_is_not_complete() -> None:
    good = (812, 40 * MIB)
    assert complete(good, good, (3, 1 * MIB)) == [True, True, False]
    assert complete(good, good, (812, 2 * MIB)) == [True, True, False], "same files, most bytes gone"
    assert complete(good, (3, MIB), good) == [True, False, True]
    assert complete(*[good] * 3, *[(3, MIB)] * 9) == [True] * 3 + [False] * 9, "all attempts of a failing backup"


def test_growing_shrinking_a_little_and_tiny_ones_are_complete() -> None:
    assert complete((3, MIB), (812, 40 * MIB)) == [True, True]
    assert complete((812, 40 * MIB), (700, 30 * MIB)) == [True, True]
    assert complete((4, 900), (1, 20)) == [True, True], "too small to tell"


def test_what_stays_small_never_becomes_usual_until_a_person_says_since_when() -> None:
    sizes = ((812, 40 * MIB), *[(3, MIB)] * 25)
    assert not any(complete(*sizes)[1:])
    said = restore_points("r", kept(*sizes), normal_since=1767322800.0 - 60)  # the second of them
    assert all(point.complete for point in said)


def test_a_burst_of_retries_counts_once_as_what_is_usual() -> None:
    raw = kept(*[(100, 40 * MIB)] * 3, *[(60, 24 * MIB)] * 4, (35, 15 * MIB))
    for number, one in enumerate(raw[3:7]):
        one["time"] = f"2026-01-04T03:{number * 5:02}:00Z"
    points = restore_points("r", raw)
    assert [point.complete for point in reversed(points)] == [*[True] * 7, False], "four partial ones in 15 minutes are one"


def test_a_database_of_800_kb_that_could_not_be_read_is_noticed() -> None:
    assert complete(*[(4, 900_000)] * 2, (3, 100_000)) == [True, True, False]


def test_hosts_and_paths_are_not_compared_with_each_other() -> None:
    raw = kept((812, 40 * MIB), (3, MIB))
    raw[1]["paths"] = ["/config"]
    assert all(point.complete for point in restore_points("r", raw))


@pytest.mark.parametrize("one", [{"id": "x"}, {"id": "x", "time": "yesterday"}, {"time": "2026-01-02T03:00:00Z"}])
def test_what_restic_never_writes_is_a_value_error(one: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        restore_points("r", [one])


@pytest.mark.parametrize(("text", "pin"), [
    ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59Z"), ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
])  # fmt: skip
def test_a_date_at_the_end_of_the_calendar_blinds_nobody_to_the_others(text: str, pin: str) -> None:
    """`restic backup --time` takes it, and in UTC it is of another year than any calendar has."""
    odd = kept((1, 1), time=text)
    assert pin in {point.pin for point in restore_points("r", [*kept((3, 9)), *odd])}


@pytest.mark.parametrize("text", ["10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "", "2026-11-01T00:00:00+25:00"])
def test_a_time_that_is_none_names_its_snapshot(text: str) -> None:
    with pytest.raises(Malformed, match="snapshot 00000000 has a time that is none"):
        restore_points("r", kept((1, 1), time=text))


@pytest.mark.parametrize("count", ["1e999", "-1", '"12"', "true", "3.7", "NaN", "[]"])
@pytest.mark.parametrize("name", ["total_files_processed", "total_bytes_processed"])
def test_a_count_that_is_none_is_never_taken_for_one(name: str, count: str) -> None:
    raw = read(f'{{"id": "{"a" * 64}", "time": "2026-11-01T00:00:00Z", "summary": {{"{name}": {count}}}}}', an_object)
    with pytest.raises(ValueError, match=f"{name} is no count"):
        restore_points("r", [raw])


def test_paths_that_are_one_text_are_no_paths() -> None:
    with pytest.raises(Malformed, match="its paths are one text"):
        restore_points("r", kept((1, 1), paths="/data"))
