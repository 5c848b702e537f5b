"""An archive has an age and an order: what is too old, what the log does not reach, and what nobody can date is never ok."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from cluster.databases import judged
from engine.probe import Condition
from house.values.databases import DatabaseArchive

NOW = 1_800_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
ARCHIVE = DatabaseArchive("apps/pg", "s3:https://s3.invalid/bucket/pg", max_age=49 * HOUR, max_log_age=6 * HOUR)


def look(base: float | None, log: float | None) -> ArchiveLook:
    """What a port found: ages in seconds."""
    times = (None if age is None else NOW - age for age in (base, log))
    return ArchiveLook(ArchiveVerdict.OK, "", 3, "20260102T030000", next(times), "0" * 24, next(times))


@pytest.mark.parametrize(
    ("base", "log", "verdict", "says"),
    [
        (DAY, HOUR, ArchiveVerdict.OK, ""),
        (400 * DAY, HOUR, ArchiveVerdict.EXPIRED, "the newest base backup is 400 d old, and 2 d 1 h is the limit"),
        (50 * HOUR, HOUR, ArchiveVerdict.EXPIRED, "the newest base backup is 2 d 2 h old, and 2 d 1 h is the limit"),
        (DAY, 7 * HOUR, ArchiveVerdict.EXPIRED, "the log ended 7 h ago, and 6 h is the limit"),
        (400 * DAY, 399 * DAY, ArchiveVerdict.EXPIRED, "the log ended 399 d ago"),
        (HOUR, 2 * HOUR, ArchiveVerdict.NO_LOG, "the log ends 60 min before the newest base backup does"),
        (DAY, 400 * DAY, ArchiveVerdict.NO_LOG, "the log ends"),
        (HOUR, HOUR + 60, ArchiveVerdict.OK, ""),
        (-HOUR, 0.0, ArchiveVerdict.UNKNOWN, "the newest base backup is dated 60 min later than now"),
        (HOUR, -HOUR, ArchiveVerdict.UNKNOWN, "the log is dated 60 min later than now"),
        (-60.0, -60.0, ArchiveVerdict.OK, ""),
        (None, HOUR, ArchiveVerdict.UNKNOWN, "nobody says when the newest base backup ended"),
        (HOUR, None, ArchiveVerdict.UNKNOWN, "nobody says when the log was written last"),
    ],
)  # fmt: skip
def test_an_archive_is_judged_by_both_ages_and_by_their_order(
    base: float | None, log: float | None, verdict: ArchiveVerdict, says: str
) -> None:
    found = judged(ARCHIVE, look(base, log), NOW)
    assert (found.verdict, found.good) == (verdict, verdict is ArchiveVerdict.OK)
    assert says in found.detail


def test_any_age_will_do_where_the_settings_say_so_and_never_a_log_that_does_not_reach_the_base() -> None:
    anything = replace(ARCHIVE, max_age=0.0, max_log_age=0.0)
    assert judged(anything, look(400 * DAY, 399 * DAY), NOW).good
    assert judged(anything, look(398 * DAY, 399 * DAY), NOW).verdict is ArchiveVerdict.NO_LOG


def test_what_the_port_says_is_wrong_stays_so_whatever_its_age() -> None:
    for verdict in ArchiveVerdict:
        if verdict is not ArchiveVerdict.OK:
            assert judged(ARCHIVE, replace(look(HOUR, HOUR), verdict=verdict), NOW).verdict is verdict


def test_a_check_answers_missing_drifted_or_unknown_and_never_yes() -> None:
    answers = {
        verdict: judged(ARCHIVE, replace(look(HOUR, HOUR), verdict=verdict), NOW).probe().condition for verdict in ArchiveVerdict
    }
    satisfied = {verdict for verdict, condition in answers.items() if condition is Condition.SATISFIED}
    unknown = {verdict for verdict, condition in answers.items() if condition is Condition.UNKNOWN}
    assert satisfied == {ArchiveVerdict.OK}
    assert unknown == {ArchiveVerdict.UNREACHABLE, ArchiveVerdict.UNKNOWN}
    assert answers[ArchiveVerdict.EXPIRED] is Condition.DRIFTED
