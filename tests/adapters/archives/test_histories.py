"""Two histories in one archive: what a listing and the base backups' own words tell of it, and what is no sign of it."""

from __future__ import annotations

import pytest

from adapters.archives.results import ArchiveVerdict
from engine.errors import PermanentError
from lab.world.archives import ArchiveFiles, log_path, segment

NOW, HOUR = 1_800_000_000.0, 3600.0
FIRST, SECOND = "7123456789012345678", "7599999999999999999"


class Folder(ArchiveFiles):
    """An archive whose files are told by how many hours ago they were written."""

    def ended(self, hours_ago: float, system: str = FIRST, first: int = 16) -> str:
        """A base backup that needs the log from that segment on."""
        return self.base(NOW - hours_ago * HOUR, system, first)

    def logged(self, first: int, last: int, since: float, timeline: int = 1, every: float = 1.0) -> None:
        """Segments of these numbers, one each `every` hours."""
        self.log(range(first, last + 1), NOW - since * HOUR, every * HOUR, timeline)


def sound() -> Folder:
    """One database's: a base backup two days and one a day ago, and its log to half an hour ago."""
    made = Folder()
    made.ended(48.0, first=16)
    made.ended(24.0, first=40)
    made.logged(16, 64, 48.5)
    return made


def test_a_sound_one_tells_whose_it_is() -> None:
    found = sound().server.look()
    assert (found.verdict, found.detail, found.system_id, found.bases) == (ArchiveVerdict.OK, "", FIRST, 2)
    assert found.segment == segment(64)


@pytest.mark.parametrize("hours_ago", [1.0, 30.0, 60.0])
def test_base_backups_of_two_databases_are_two_histories_whichever_is_newer(hours_ago: float) -> None:
    folder = sound()
    name = folder.ended(hours_ago, SECOND, first=16)
    found = folder.server.look()
    assert found.verdict is ArchiveVerdict.MIXED
    assert "base backups of 2 databases: " in found.detail
    assert f"system {FIRST} with 2 base backups, the last 20270114T080000" in found.detail
    assert f"system {SECOND} with 1 base backup, the last {name}" in found.detail


def test_a_second_database_is_found_behind_many_base_backups_of_the_first_and_of_its_own() -> None:
    folder = sound()
    for day in range(9):
        folder.ended(12.0 - day, SECOND, first=3)
    folder.logged(1, 10, 12.0)
    assert folder.server.look().verdict is ArchiveVerdict.MIXED


def test_one_without_a_system_of_its_own_is_no_second_database() -> None:
    folder = sound()
    folder.ended(1.0, system="", first=60)
    assert folder.server.look().verdict is ArchiveVerdict.OK


def test_a_new_database_that_has_made_no_base_backup_yet_is_seen_by_its_log() -> None:
    folder = sound()
    folder.logged(1, 9, 9.0)
    found = folder.server.look()
    assert found.verdict is ArchiveVerdict.MIXED
    assert f"segment {segment(1)} was written 2027-01-14T23:00:00Z" in found.detail
    assert "after " in found.detail
    assert "which comes behind it in the log" in found.detail


def test_two_that_go_on_from_one_point_are_two_histories() -> None:
    folder = sound()
    folder.logged(44, 50, 20.0, timeline=2)
    found = folder.server.look()
    assert found.verdict is ArchiveVerdict.MIXED
    assert "timeline 1 was still written to at " in found.detail
    assert "and timeline 2 since " in found.detail


@pytest.mark.parametrize(
    ("first", "last", "since", "timeline"),
    [
        (65, 70, 0.4, 2),  # a failover: the next timeline goes on
        (64, 70, 0.4, 2),  # from within the last segment
        (12, 15, 60.0, 1),  # older log
    ],
)
def test_what_every_living_archive_shows_is_no_second_history(first: int, last: int, since: float, timeline: int) -> None:
    folder = sound()
    folder.logged(first, last, since, timeline, every=0.05)
    assert folder.server.look().verdict is ArchiveVerdict.OK


def test_an_old_primary_that_archives_its_rest_late_is_no_second_history() -> None:
    folder = sound()
    folder.logged(60, 70, 5.0, 2, every=0.5)
    for number in range(60, 65):
        folder.files[log_path(number)] = (b"x", NOW - HOUR + number)
    assert folder.server.look().verdict is ArchiveVerdict.OK


def test_one_segment_that_came_again_and_a_bucket_that_was_copied_are_none() -> None:
    folder = sound()
    folder.files[log_path(41)] = (b"x", NOW)
    assert folder.server.look().verdict is ArchiveVerdict.OK
    for place, path in enumerate(sorted(folder.files, reverse=True)):
        folder.files[path] = (folder.files[path][0], NOW - 600 + place)
    assert folder.server.look().verdict is ArchiveVerdict.OK


class TestTheRestorePoint:
    def test_nobody_but_a_person_decides_between_two_databases(self) -> None:
        folder = sound()
        folder.ended(1.0, SECOND, first=2)
        folder.logged(1, 3, 2.0, every=0.5)
        with pytest.raises(PermanentError, match="two databases") as told:
            folder.server.point(0.0)
        assert any(FIRST in line for line in told.value.evidence)
        assert any(SECOND in line for line in told.value.evidence)
        assert "--as-of" in told.value.hint

    def test_a_time_takes_what_was_backed_up_last_before_it_and_says_whose_that_is(self) -> None:
        folder = sound()
        folder.ended(1.0, SECOND, first=2)
        folder.logged(1, 3, 2.0, every=0.5)
        before, after = folder.server.point(NOW - 3 * HOUR), folder.server.point(NOW)
        assert (before.system_id, after.system_id) == (FIRST, SECOND)
        for point in (before, after):
            assert f"system {point.system_id}" in point.remark
            assert "base backups of 2 databases" in point.remark

    def test_two_lines_that_went_on_side_by_side_are_not_chosen_between_either(self) -> None:
        folder = sound()
        folder.logged(44, 50, 20.0, timeline=2)
        with pytest.raises(PermanentError, match="two histories"):
            folder.server.point(0.0)
        assert folder.server.point(NOW - 21 * HOUR).timeline == 1

    def test_a_sound_one_is_as_it_was(self) -> None:
        point = sound().server.point(0.0)
        assert (point.system_id, point.segment, point.remark) == (FIRST, segment(64), "")


def test_a_gap_is_no_whole_log() -> None:
    folder = sound()
    for number in (50, 51):
        del folder.files[log_path(number)]
    found = folder.server.look()
    assert (found.verdict, found.segment) == (ArchiveVerdict.GAP, segment(49))
    assert found.detail.startswith(f"the log has a gap between {segment(49)} and {segment(52)}: no restore goes beyond it")
