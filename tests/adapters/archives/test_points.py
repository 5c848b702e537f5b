"""What an archive promises of a restore to a time, out of its base backups and the segments of its log."""

from __future__ import annotations

import pytest

from adapters.archives.bases import Base, lsn_of, lsn_text, read_base
from adapters.archives.log import Segment
from adapters.archives.points import base_for, point_of
from engine.errors import PermanentError

MIB = 1 << 20
OLD = Base("20260101T030000", 100.0, "000000010000000000000002", "000000010000000000000002", end_lsn=0x2000120, system_id="7")
NEW = Base("20260102T030000", 500.0, "000000010000000000000006", "000000010000000000000006", end_lsn=0x6000120, system_id="7")


def segments(*numbers: int, timeline: int = 1, from_s: float = 0.0) -> list[Segment]:
    return [Segment(f"{timeline:08X}{0:08X}{n:08X}", 1, from_s + 100.0 * n) for n in numbers]


def test_without_a_time_it_is_the_newest_base_backup_and_the_whole_log() -> None:
    base = base_for([OLD, NEW], 0.0)
    found = point_of(base, segments(6, 7, 8), 0.0)
    assert (found.base, found.system_id, found.timeline, found.segment) == (NEW.name, "7", 1, "000000010000000000000008")
    assert (found.lsn, found.time, found.target) == (8 * 16 * MIB, 800.0, 0.0)


def test_a_time_takes_the_base_backup_before_it_and_what_was_written_by_then() -> None:
    found = point_of(base_for([OLD, NEW], 450.0), segments(2, 3, 4, 5, 6), 450.0)
    assert (found.base, found.segment, found.lsn, found.target) == (OLD.name, "000000010000000000000004", 4 * 16 * MIB, 450.0)


def test_a_time_behind_the_end_of_the_log_is_its_end() -> None:
    assert point_of(base_for([NEW], 9000.0), segments(6, 7), 9000.0).target == 0.0


def test_what_the_base_backup_needs_counts_whenever_it_was_written() -> None:
    found = point_of(NEW, segments(6, 7, from_s=5000.0), 520.0)
    assert (found.segment, found.lsn, found.target) == ("000000010000000000000006", 0x6000120, 520.0)


def test_a_later_timeline_is_followed_and_a_gap_ends_it() -> None:
    later = [*segments(6, 7), *segments(7, 8, 10, timeline=2)]
    found = point_of(NEW, later, 0.0)
    assert (found.timeline, found.segment) == (2, "000000020000000000000008")
    assert found.remark == "the log has a gap behind 000000020000000000000008"


def test_nothing_is_promised_where_there_is_no_way() -> None:
    with pytest.raises(PermanentError, match="no base backup that old"):
        base_for([OLD, NEW], 50.0)
    with pytest.raises(PermanentError, match="no base backup that a restore could begin from"):
        base_for([], 0.0)
    with pytest.raises(PermanentError, match="cannot be made consistent"):
        point_of(NEW, segments(7, 8), 0.0)
    with pytest.raises(PermanentError, match="does not say which of the log it needs"):
        point_of(Base("x", 1.0, "", ""), segments(1), 0.0)


def test_a_place_in_the_log_is_read_and_written_as_postgres_does() -> None:
    assert (lsn_of("16/B374D848"), lsn_text(0x16B374D848)) == (0x16B374D848, "16/B374D848")
    assert [lsn_of(text) for text in ("", "None", "1-2", "0/", "123456789/0")] == [None] * 5
    info = "status=DONE\nend_time=2026-01-02 03:04:05+00:00\nbegin_wal=None\nend_xlog=0/6000120\nsystemid=7123\n"
    found = read_base("x", info, {"data.tar": 1})
    assert found is not None
    assert (found.end_lsn, found.system_id) == (0x6000120, "7123")
