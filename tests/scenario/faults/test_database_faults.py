"""Each named fault of a database's archive turns its own rows red, and stops the restore of the database that hangs on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from engine.errors import ApprovalMissing
from engine.plan import Planned
from engine.report import Outcome, Report
from house.values.databases import DatabaseArchive
from lab.ports.stores.archives import ModelledArchives
from lab.troubles.database import DATABASE_TROUBLES, DatabaseTrouble
from lab.world.archives import ArchiveFiles
from lab.world.cluster.databases import HEALTHY
from tests.databases import KEY, NEW, OLD, a_database
from tests.scenario.restore.test_restore_databases import PIN, Restored, built, fine, words

ROW, OWN = "preflight.archive/apps/pg", "database.own-archive/apps/pg"


def struck(house: Restored, trouble: DatabaseTrouble) -> None:
    store = house.home.store
    store.databases[OLD] = replace(store.databases[OLD], damages=(trouble.change,), refused=trouble.refused)


def red(report: Report) -> dict[str, str]:
    return {step.id: step.detail for step in report.steps if step.outcome is Outcome.FAILED}


def living(folder: Path) -> Restored:
    """A house whose database archives to where it always did, and is called healthy."""
    house = built(folder, a_database(recovers=True))
    fine(house.apply(house.back()))
    house.archived()
    house.house = replace(house.house, archives=(DatabaseArchive("apps/pg", OLD),))
    house.git_says(a_database(recovers=True, writes=OLD, source=NEW))
    return house


def test_each_named_fault_turns_exactly_its_own_row_red(tmp_path: Path) -> None:
    house = living(tmp_path)
    report = house.verify(house.bootstrap)
    assert red(report) == {}
    assert report[OWN].detail == "its newest base backup is of system 7123456789012345678, which is the database that runs"
    for name, trouble in DATABASE_TROUBLES.items():
        house.archived()
        struck(house, trouble)
        found = red(house.verify(house.bootstrap))
        assert list(found) == [OWN if name == "archive-of-another" else ROW], (name, found)
        assert trouble.says in next(iter(found.values())), name
        assert house.home.kube.objects().clusters[KEY].phase == HEALTHY


def test_a_restore_from_each_stops_with_one_problem(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=False))
    for name, trouble in DATABASE_TROUBLES.items():
        if name == "archive-of-another":
            continue  # nobody here knows whose it should be: the proof says whose it is
        house.archived()
        struck(house, trouble)
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [PIN], name
        assert house.home.look().hold.record().pinned == ()
        assert (report.exit_code == ApprovalMissing.exit_code) != trouble.stops, name
        if trouble.stops:
            there = name in ("archive-of-two", "archive-begun-again", "archive-written-twice", "archive-key-refused")
            said = "database apps/pg is not restored: " if there else "nothing is there that database apps/pg could be restored"
            assert words(report, PIN).startswith(said), name
            # Who could not look, or cannot choose, is not told to give the archive up.
            assert ("--unproven" in str(getattr(report[PIN].error, "hint", ""))) != there, name
            assert getattr(report[PIN].error, "hint", ""), name
        else:
            assert trouble.says in words(report, PIN), name
            assert "what was written to the database since then is not in it" in words(report, PIN)


def test_what_falls_short_is_restored_by_a_consent_that_names_it(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=False))
    struck(house, DATABASE_TROUBLES["archive-gap"])
    line = house.plan(house.back())[PIN]
    assert line.act is not None
    assert "log with a gap: the log has a gap between" in line.act.words
    house.apply(house.back(), house.consent(house.back()))
    assert house.entry.point.segment == "000000010000000000000003"
    struck(house, DATABASE_TROUBLES["archive-log-stopped"])
    assert house.apply(house.back())[PIN].outcome is Outcome.OK


def _log_ends_early(archive: ArchiveFiles) -> None:
    """Its log is two hours older than its base backup, by the store's clock: what the look at it calls no log."""
    for path, (content, written) in archive.files.items():
        if path.startswith("wals/"):
            archive.files[path] = (content, written - 7200)


def test_whatever_the_look_calls_an_archive_that_is_not_in_order_its_restore_takes_a_consent(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=False))
    store, now = house.home.store, house.clock.now()
    first = store.databases[OLD].commits[0]
    store.databases[OLD] = replace(store.databases[OLD], commits=(replace(first, time=now - 3600),), damages=(_log_ends_early,))
    report = house.apply(house.back())
    assert report[PIN].outcome is Outcome.FAILED and report.exit_code == ApprovalMissing.exit_code
    assert "the log ends 120 min before the newest base backup does" in words(report, PIN)
    house.apply(house.back(), house.consent(house.back()))
    assert house.entry.point.system_id == "7123456789012345678"


def test_a_time_lets_a_mixed_archive_pass_and_the_point_says_what_was_taken(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=False))
    struck(house, DATABASE_TROUBLES["archive-of-two"])
    then = house.home.store.databases[OLD].commits[1].time + 60
    report = house.apply(house.back(then))
    assert report[PIN].outcome is Outcome.CHANGED
    assert (house.entry.point.system_id, house.entry.point.target) == ("7123456789012345678", then)
    assert "it is system 7123456789012345678, and there are base backups of 2 databases" in house.entry.point.remark


def test_an_archive_that_was_another_databases_since_the_last_proof_is_not_taken(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=True))
    fine(house.apply(house.back()))
    del house.home.kube.objects().clusters[KEY]
    house.home.store.databases.pop(NEW, None)
    struck(house, DATABASE_TROUBLES["archive-of-another"])
    report = house.apply(house.back())
    assert [step.id for step in report.root_causes] == [PIN]
    assert "another database's" in words(report, PIN)


def test_half_of_them_leave_the_operators_word_good_and_there_are_ten() -> None:
    assert len(DATABASE_TROUBLES) >= 10
    assert sum(one.well for one in DATABASE_TROUBLES.values()) * 2 >= len(DATABASE_TROUBLES)


@pytest.mark.parametrize("silent", ["what is read", "what is written"])
def test_nothing_is_chosen_or_refused_by_a_store_that_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    house, look = built(tmp_path, a_database(recovers=False)), ModelledArchives.look
    struck(house, DATABASE_TROUBLES["archive-gap"])

    def told(port: ModelledArchives, archive: DatabaseArchive) -> ArchiveLook:
        if (archive.place == OLD) is (silent == "what is read"):
            return ArchiveLook(ArchiveVerdict.UNREACHABLE, "connection reset")
        return look(port, archive)

    monkeypatch.setattr(ModelledArchives, "look", told)
    line = house.plan(house.back())[PIN]
    assert (line.verdict, line.act, line.evidence[-1:]) == (Planned.UNKNOWN, None, ("connection reset",))
