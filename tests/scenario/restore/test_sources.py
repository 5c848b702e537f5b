"""Two places of one claim, a bucket and a NAS: the freshest sound one comes back, or none, and Git's own state is there again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backups.results import RepositoryLock
from adapters.hold.results import HoldState
from adapters.volsync.results import FileEntry
from engine.errors import EXIT_OK, ApprovalMissing
from engine.probe import Condition
from engine.report import Report
from house.model import House, SecretRef
from house.values.sources import BackupSource
from lab.troubles.nas import NAS_FAULTS
from lab.world.cluster.volumes import Destination
from lab.world.nas import LabUser, sample_nas
from lab.world.store import StoredRepository, Trouble, a_file
from recovery.course import course
from tests.builders import a_claim, a_house
from tests.copied import copied
from tests.hands import only, see
from tests.scenario.faults.test_nas import NAS as THE_NAS
from tests.scenario.running import DATA, Running

BUCKET = "s3:https://127.10.0.30:9000/backups/notes"
NAS = "sftp:backup@127.10.0.40:/tank/notes"
OLDER = (a_file("notes/one.md", "as it was on the NAS"),)
OF_GIT = ("notes-volsync-secret", "", "")


def two_places(source: str = "notes-nas") -> House:
    """The claim with a bucket, and with a NAS beside it; `source` is what backs up to that, "" for nothing in Git."""
    nas = BackupSource("notes-nas", source, NAS, NAS, SecretRef(("env:RESTIC_PASSWORD",)), (), "", "ks.yaml:9")
    return a_house(claims=(replace(a_claim(), others=(nas,)),))


def built(folder: Path, source: str = "notes-nas") -> Running:
    """A built house with its claim held: the bucket's newest is an hour old, the NAS' three."""
    return copied(_built, folder, source)


def _built(folder: Path, source: str) -> Running:
    running = Running(folder, two_places(source))
    running.home.seed_backup(BUCKET, DATA, 3600)
    running.home.seed_backup(NAS, OLDER, 3 * 3600)
    running.apply(running.bootstrap)
    running.clock.sleep(60)
    return running


@pytest.fixture
def house(tmp_path: Path) -> Running:
    return built(tmp_path / "state")


def repository(house: Running, address: str) -> StoredRepository:
    return house.home.store.repositories[address]


def destination(house: Running) -> Destination:
    return house.home.kube.objects().destinations[("apps", "notes-bootstrap")]


def git_s_own(house: Running) -> tuple[str, str, str]:
    """What of the destination a restore may have changed: its Secret, what it was before, the time."""
    found = destination(house)
    return found.secret, found.instead_of, found.restore_as_of


def data(house: Running) -> tuple[FileEntry, ...]:
    return house.home.kube.objects().claims[("apps", "notes")].entries


def restored(house: Running) -> Report:
    report = house.apply(house.restore)
    assert report.exit_code == EXIT_OK, [(step.id, str(step.error)) for step in report.root_causes]
    assert git_s_own(house) == OF_GIT
    return report


class Trial:
    """One thing that is wrong with the better place, and what is said of it."""

    def down(self, house: Running) -> str:
        repository(house, BUCKET).trouble = Trouble.UNREACHABLE
        return "unreachable: connection refused; whether it has anything newer is not known"

    def damaged(self, house: Running) -> str:
        repository(house, BUCKET).sound = "listed"
        return "unreadable: newest"

    def closed(self, house: Running) -> str:
        repository(house, BUCKET).trouble = Trouble.REFUSED
        return "refused: wrong password or no key found"

    def of_another_engine(self, house: Running) -> str:
        repository(house, BUCKET).trouble = Trouble.FOREIGN
        return "foreign: a kopia repository"

    def gone(self, house: Running) -> str:
        del house.home.store.repositories[BUCKET]
        return "missing: nothing is at this address"

    def empty(self, house: Running) -> str:
        repository(house, BUCKET).snapshots.clear()
        return "empty: 0 snapshots"

    def older(self, house: Running) -> str:
        kept = repository(house, BUCKET).snapshots
        kept[:] = [replace(kept[0], time=kept[0].time - 86_400)]
        return "ok (tree); its newest is 22.0 h older"

    def of_no_file(self, house: Running) -> str:
        kept = repository(house, BUCKET).snapshots
        kept[:] = [replace(kept[0], entries=(), complete=False)]
        return "empty: "

    def another_one_to_the_mover(self, house: Running) -> str:
        house.home.store.make("s3:elsewhere")
        house.home.kube.secrets_say["apps", "notes-volsync-secret"] = "s3:elsewhere"
        return "foreign: a mover with Secret notes-volsync-secret opens repository"

    def none_to_the_mover(self, house: Running) -> str:
        house.home.kube.secrets_say["apps", "notes-volsync-secret"] = "s3:misspelt"
        return "foreign: a mover with Secret notes-volsync-secret opens no repository: Fatal: repository does not exist"


TRIALS = [name for name in vars(Trial) if not name.startswith("_")]


class TestOfTwoPlaces:
    def test_the_freshest_sound_one_comes_back_and_the_report_says_which_and_what_was_passed_over(self, house: Running) -> None:
        report = restored(house)
        assert data(house) == DATA
        told = report["recovery.pin/apps/notes"].detail
        assert "from notes-volsync-secret (s3:https://127.10.0.30:9000/backups/notes): " in told
        assert "passed over: notes-nas (sftp:backup@127.10.0.40:/tank/notes): ok (tree); its newest is 2.0 h older" in told

    def test_where_that_is_not_git_s_the_destination_is_turned_and_turned_back(self, house: Running) -> None:
        house.home.seed_backup(NAS, OLDER, 600)
        house.apply(only(house.restore, "preflight.", "hold.", "recovery.pin", "recovery.restore"))
        assert git_s_own(house)[:2] == ("notes-nas", "notes-volsync-secret")
        drift = see(house, house.bootstrap, "backup.destinations")
        assert drift.condition is Condition.DRIFTED
        assert drift.evidence == ("apps/notes-bootstrap: notes-nas, in Git notes-volsync-secret",)
        house.home.act("flux").flux.request("Kustomization", "apps", "notes")
        house.clock.sleep(60)
        assert git_s_own(house)[0] == "notes-nas", "Flux leaves it alone"
        restored(house)
        assert data(house) == OLDER
        assert see(house, house.bootstrap, "backup.destinations").condition is Condition.SATISFIED
        assert house.plan(house.restore).changes == ()

    @pytest.mark.parametrize("trial", TRIALS)
    def test_one_that_is_not_sound_is_passed_over_by_its_name(self, house: Running, trial: str) -> None:
        told = getattr(Trial(), trial)(house)
        report = restored(house)
        assert data(house) == OLDER
        seen = report["recovery.pin/apps/notes"].detail
        assert "from notes-nas (sftp:backup@127.10.0.40:/tank/notes): " in seen
        assert f"notes-volsync-secret (s3:https://127.10.0.30:9000/backups/notes): {told}" in seen

    @pytest.mark.parametrize("trial", [one for one in TRIALS if one not in ("older",)])
    def test_where_the_other_one_is_unusable_too_the_claim_stops_with_one_problem(self, house: Running, trial: str) -> None:
        getattr(Trial(), trial)(house)
        repository(house, NAS).sound = ""
        report = house.apply(house.restore)
        assert len(report.root_causes) == 1, [step.id for step in report.root_causes]
        (problem,) = report.root_causes
        told = " ".join((problem.detail, str(problem.error), *getattr(problem.error, "evidence", ())))
        assert "notes-volsync-secret (s3:" in told and "notes-nas (sftp:" in told, told
        assert house.home.look().hold.record().claims[0].state is HoldState.HELD
        assert not house.home.kube.objects().claims[("apps", "notes")].bound
        assert git_s_own(house) == OF_GIT

    def test_what_the_lock_file_knows_otherwise_is_another_repository(self, house: Running) -> None:
        known = {"apps/notes": "ab" * 32, "apps/notes@notes-nas": repository(house, NAS).repository_id}
        report = house.apply(course(house.house, house.house.claims, known=known))
        assert report.exit_code == EXIT_OK, report.root_causes
        assert data(house) == OLDER
        assert "known so far as abababab" in report["recovery.pin/apps/notes"].detail

    def test_one_that_is_locked_and_newer_is_given_up_by_consent_alone(self, house: Running) -> None:
        lock = RepositoryLock("1" * 64, house.clock.now(), "somebody on cp-1")
        repository(house, BUCKET).locks[lock.lock_id] = lock
        line = house.plan(house.restore)["recovery.pin/apps/notes"]
        assert line.act is not None and "in another place of this claim" in line.act.words
        assert house.apply(house.restore).exit_code == ApprovalMissing.exit_code
        assert git_s_own(house) == OF_GIT
        report = house.apply(house.restore, house.consent(house.restore))
        assert report.exit_code == EXIT_OK, report.root_causes
        assert data(house) == OLDER

    def test_of_two_of_one_age_git_s_own_is_taken(self, house: Running) -> None:
        first = repository(house, BUCKET).snapshots[0]
        repository(house, NAS).snapshots.append(replace(first, snapshot_id="f" * 64))
        assert "from notes-volsync-secret" in restored(house)["recovery.pin/apps/notes"].detail

    def test_an_earlier_time_is_looked_for_in_both(self, house: Running) -> None:
        back = course(house.house, house.house.claims, as_of=house.clock.now() - 2 * 3600)
        report = house.apply(back, house.consent(back))
        assert report.exit_code == EXIT_OK, report.root_causes
        assert data(house) == OLDER
        assert git_s_own(house) == OF_GIT


class TestAfterwards:
    def test_the_first_backup_goes_to_what_was_restored_from(self, house: Running) -> None:
        repository(house, BUCKET).trouble = Trouble.UNREACHABLE
        restored(house)
        assert len(repository(house, NAS).snapshots) == 2

    def test_where_nothing_backs_up_to_that_it_goes_to_the_first_place(self, tmp_path: Path) -> None:
        house = built(tmp_path / "state", source="")
        house.home.seed_backup(NAS, OLDER, 600)
        restored(house)
        assert data(house) == OLDER
        assert len(repository(house, NAS).snapshots) == 2, "nothing writes there"
        assert len(repository(house, BUCKET).snapshots) == 2

    def test_data_that_are_alive_are_replaced_from_the_other_place_too(self, house: Running) -> None:
        restored(house)
        house.home.seed_backup(NAS, OLDER, -60)
        house.clock.sleep(120)
        back = course(house.house, house.house.claims, again=house.house.claims)
        report = house.apply(back, house.consent(back))
        assert report.exit_code == EXIT_OK, [(step.id, str(step.error)) for step in report.root_causes]
        assert data(house) == OLDER
        assert git_s_own(house) == OF_GIT

    def test_a_hold_that_is_lifted_by_hand_in_the_middle_turns_it_back(self, house: Running) -> None:
        from recovery.lifting import lift

        house.home.seed_backup(NAS, OLDER, 600)
        house.apply(only(house.restore, "preflight.", "hold.", "recovery.pin", "recovery.restore"))
        assert git_s_own(house)[0] == "notes-nas"
        lift(house.home.act("by-hand"), house.house.claims[0], "for a test")
        assert git_s_own(house) == OF_GIT


def test_a_nas_that_is_not_whole_keeps_no_claim_back_that_has_a_bucket_too(tmp_path: Path) -> None:
    place = "sftp:backup@nas.lan:/mnt/tank/backup/notes"
    given = two_places()
    other = replace(given.claims[0].others[0], open_as=place, mover_repository=place)
    house = Running(tmp_path / "state", replace(given, nas=(THE_NAS,), claims=(replace(given.claims[0], others=(other,)),)))
    box = house.home.plug_nas(sample_nas(house.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")
    assert box is not None
    house.home.seed_backup(BUCKET, DATA, 3600)
    house.home.seed_backup(place, OLDER, 7200)
    house.apply(house.bootstrap)
    NAS_FAULTS["nas-pool-degraded"].begin(house.home.nas["nas"], house.clock.now())
    told = restored(house)["recovery.pin/apps/notes"].detail
    assert data(house) == DATA
    assert f"passed over: notes-nas ({place}): unknown: NAS nas: " in told


def test_a_mover_that_sees_another_repository_restores_nothing_of_a_claim_with_one_place(tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path / "state")
    house.home.store.make("s3:elsewhere")
    house.home.kube.secrets_say["apps", "notes-volsync-secret"] = "s3:elsewhere"
    report = house.apply(house.restore)
    (problem,) = report.root_causes
    assert problem.id == "recovery.restore/apps/notes"
    assert "is not restored: a mover with Secret notes-volsync-secret opens repository" in str(problem.error)
    assert destination(house).restore_as_of == "", "it was not let loose"
