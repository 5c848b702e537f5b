"""What a person may choose in a restore, and what is refused: an earlier time, an empty start, a hold lifted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from cluster.course import Course
from engine.approval import Approval, approve
from engine.errors import EXIT_HELD, EXIT_OK, ApprovalMissing
from engine.plan import Planned
from engine.report import Outcome
from house.model import Requirement
from house.values.databases import Database
from lab.world.cluster.volumes import Image
from lab.world.store import Trouble, a_file
from recovery.course import course
from recovery.lifting import lift, lift_database
from tests.builders import a_house
from tests.hands import only
from tests.scenario.running import DATA, Running

EARLIER = (a_file("notes/one.md", "before the mistake"),)
NEVER = "apps/notes was never backed up: nothing is at s3:https://127.10.0.30:9000/backups/notes"


class TestAsOf:
    def test_an_earlier_restore_point_comes_back_and_is_backed_up_as_it_is(self, empty_house: Running) -> None:
        claim = empty_house.house.claims[0]
        repositories = empty_house.home.store.repositories
        repositories.clear()
        day = empty_house.clock.now() - 86_400
        empty_house.home.seed_backup(claim.mover_repository, EARLIER, 86_400)
        empty_house.home.seed_backup(claim.mover_repository, DATA)
        empty_house.apply(empty_house.bootstrap)
        back = course(empty_house.house, empty_house.house.claims, as_of=day + 60)
        plan = empty_house.plan(back)
        given = approve(
            plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=empty_house.clock.now(), valid_s=600
        )
        report = empty_house.apply(back, approval=given)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert empty_house.home.kube.objects().claims[("apps", "notes")].entries == EARLIER

    def test_what_retention_may_forget_is_asked_before_anything_is_pinned(self, held_house: Running) -> None:
        claim = held_house.house.claims[0]
        held_house.home.seed_backup(claim.mover_repository, EARLIER, 60)
        back = course(held_house.house, held_house.house.claims, as_of=held_house.clock.now() - 600)
        line = held_house.plan(back)["recovery.pin/apps/notes"]
        assert "1 snapshot is newer than the one to restore; what the first backup keeps: last 3" in line.detail
        assert line.act is not None
        assert "newer snapshots may be forgotten by the first backup" in line.act.words
        report = held_house.apply(back)
        assert report.exit_code == ApprovalMissing.exit_code
        (entry,) = held_house.home.look().hold.record().claims
        assert (entry.pin, entry.state) == ("", HoldState.HELD)

    def test_a_poisoned_newest_one_does_not_keep_an_older_one_back(self, empty_house: Running) -> None:
        claim = replace(empty_house.house.claims[0], requirement=Requirement(True, 0.0, 100))
        empty_house.house = replace(empty_house.house, claims=(claim,))
        empty_house.apply(empty_house.bootstrap)
        empty_house.home.seed_backup(claim.mover_repository, (a_file("default", "8 bytes."),), 60)
        now = empty_house.apply(empty_house.restore)
        assert [step.id for step in now.root_causes] == ["preflight.backup/apps/notes"]
        back = course(empty_house.house, empty_house.house.claims, as_of=empty_house.clock.now() - 600)
        plan = empty_house.plan(back)
        given = approve(
            plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=empty_house.clock.now(), valid_s=600
        )
        report = empty_house.apply(back, approval=given)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert empty_house.home.kube.objects().claims[("apps", "notes")].entries == DATA

    def test_a_house_that_was_down_longer_than_a_backup_may_be_old_is_built_and_restored_with_a_warning(
        self, empty_house: Running
    ) -> None:
        claim = replace(empty_house.house.claims[0], requirement=Requirement(True, 600.0, 0))
        empty_house.house = replace(empty_house.house, claims=(claim,))
        report = empty_house.apply(empty_house.bootstrap)
        assert report.exit_code == EXIT_HELD
        assert [step.id for step in report.warnings] == ["preflight.backup-age/apps/notes"]
        report = empty_house.apply(empty_house.restore)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert "backups stopped" in str(getattr(report.warnings[0].error, "hint", ""))

    def test_a_poisoned_newest_one_is_refused_however_long_the_house_was_down(self, empty_house: Running) -> None:
        claim = replace(empty_house.house.claims[0], requirement=Requirement(True, 600.0, 100))
        empty_house.house = replace(empty_house.house, claims=(claim,))
        empty_house.apply(empty_house.bootstrap)
        empty_house.home.seed_backup(claim.mover_repository, (a_file("default", "8 bytes."),), 3000)
        report = empty_house.apply(empty_house.restore)
        assert [step.id for step in report.root_causes] == ["preflight.backup/apps/notes"]
        (entry,) = empty_house.home.look().hold.record().claims
        assert (entry.pin, entry.state) == ("", HoldState.HELD)

    def test_before_the_first_backup_there_is_nothing_to_restore(self, held_house: Running) -> None:
        report = held_house.apply(course(held_house.house, held_house.house.claims, as_of=1000.0))
        assert [step.id for step in report.root_causes] == ["recovery.pin/apps/notes"]
        assert "no complete snapshot that old" in str(report["recovery.pin/apps/notes"].error)

    def test_what_is_pinned_already_is_not_chosen_again(self, held_house: Running) -> None:
        pins = ("preflight.", "hold.", "recovery.pin")
        held_house.apply(only(held_house.restore, *pins))
        (first,) = held_house.home.look().hold.record().claims
        report = held_house.apply(only(course(held_house.house, held_house.house.claims, as_of=1000.0), *pins))
        assert "pinned to a later time than --as-of says" in str(report["recovery.pin/apps/notes"].error)
        assert held_house.home.look().hold.record().claims == (first,)


class TestStartingEmpty:
    @pytest.fixture
    def never_backed_up(self, empty_house: Running) -> Running:
        """A built house whose one claim may be empty and has no backup anywhere."""
        claim = replace(empty_house.house.claims[0], requirement=Requirement(False, 0.0, 0))
        empty_house.home.store.repositories.clear()
        empty_house.house = replace(empty_house.house, claims=(claim,))
        assert empty_house.apply(empty_house.bootstrap).exit_code == EXIT_HELD
        return empty_house

    def accepting(self, house: Running) -> Course:
        """The course with the claim accepted as empty."""
        return course(house.house, (), never_backed_up=house.house.claims)

    def consent(self, house: Running) -> Approval:
        """What `--approve DIGEST` makes of the plan of now."""
        plan = house.plan(self.accepting(house))
        return approve(plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=house.clock.now(), valid_s=600)

    def test_without_consent_it_is_refused_and_the_claim_stays_held(self, never_backed_up: Running) -> None:
        report = never_backed_up.apply(self.accepting(never_backed_up))
        assert report.exit_code == ApprovalMissing.exit_code
        assert never_backed_up.home.look().hold.record().claims[0].state is HoldState.HELD

    def test_the_plan_names_the_act_and_its_digest_is_the_consent(self, never_backed_up: Running) -> None:
        line = never_backed_up.plan(self.accepting(never_backed_up))["recovery.accept-empty/apps/notes"]
        assert line.verdict is Planned.CREATE
        assert line.act is not None
        assert line.act.words == NEVER
        report = never_backed_up.apply(self.accepting(never_backed_up), approval=self.consent(never_backed_up))
        assert report.exit_code == EXIT_OK, report.root_causes
        never_backed_up.clock.sleep(300)
        assert never_backed_up.home.kube.objects().claims[("apps", "notes")].app_ready
        assert never_backed_up.apply(never_backed_up.bootstrap).exit_code == EXIT_OK

    @pytest.mark.parametrize("trouble", [None, *Trouble])
    def test_a_repository_that_turns_up_forbids_it_in_spite_of_the_consent(
        self, never_backed_up: Running, trouble: Trouble | None
    ) -> None:
        consent = self.consent(never_backed_up)
        made = never_backed_up.home.store.make(never_backed_up.house.claims[0].mover_repository)
        made.trouble = trouble
        report = never_backed_up.apply(self.accepting(never_backed_up), approval=consent)
        assert "there is a sign of a backup" in str(report["recovery.accept-empty/apps/notes"].error)
        assert never_backed_up.home.look().hold.record().claims[0].state is HoldState.HELD

    def test_an_old_consent_is_none(self, never_backed_up: Running) -> None:
        consent = self.consent(never_backed_up)
        never_backed_up.clock.sleep(601)
        report = never_backed_up.apply(self.accepting(never_backed_up), approval=consent)
        assert report.exit_code == ApprovalMissing.exit_code
        assert "expired" in str(report["recovery.accept-empty/apps/notes"].error)


class TestGitAndVolSyncHaveTheirOwnWill:
    def test_restore_as_of_in_git_is_a_conflict_and_nothing_is_restored(self, held_house: Running) -> None:
        destination = held_house.home.kube.objects().destinations[("apps", "notes-bootstrap")]
        destination.restore_as_of = "2020-01-01T00:00:00Z"
        report = held_house.apply(held_house.restore)
        assert [step.id for step in report.root_causes] == ["recovery.restore/apps/notes"]
        assert "take restoreAsOf out" in str(getattr(report.root_causes[0].error, "hint", ""))
        assert (destination.restore_as_of, destination.runs) == ("2020-01-01T00:00:00Z", 0)

    def test_volsync_restores_again_after_the_proof_and_the_new_image_is_compared_too(self, held_house: Running) -> None:
        before = only(held_house.restore, "preflight.", "hold.", "recovery.pin", "recovery.restore", "recovery.prove")
        objects = held_house.home.kube.objects()
        waiting = objects.claims.pop(("apps", "notes"))
        assert held_house.apply(before).converged
        objects.destinations[("apps", "notes-bootstrap")].image = Image("volsync-restored-again", DATA)
        objects.claims[("apps", "notes")] = waiting
        report = held_house.apply(held_house.restore)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert report["recovery.prove/apps/notes"].outcome is Outcome.CHANGED
        assert waiting.populated_from == "volsync-restored-again"

    def test_a_new_image_that_differs_is_not_let_through_by_the_old_proof(self, held_house: Running) -> None:
        before = only(held_house.restore, "preflight.", "hold.", "recovery.pin", "recovery.restore", "recovery.prove")
        objects = held_house.home.kube.objects()
        waiting = objects.claims.pop(("apps", "notes"))
        assert held_house.apply(before).converged
        objects.destinations[("apps", "notes-bootstrap")].image = Image("volsync-restored-again", DATA[:1])
        objects.claims[("apps", "notes")] = waiting
        report = held_house.apply(held_house.restore)
        assert [step.id for step in report.root_causes] == ["recovery.prove/apps/notes"]
        assert not waiting.bound


def test_a_hold_that_was_lifted_by_hand_is_no_drift_and_is_not_held_again(held_house: Running) -> None:
    lift(held_house.home.act("by-hand"), held_house.house.claims[0], "moved")
    held_house.clock.sleep(1200)
    report = held_house.apply(held_house.bootstrap)
    assert report.exit_code == EXIT_OK, report.root_causes
    assert held_house.home.look().hold.record().claims[0].reason == "by hand, unproven: moved"


class TestADatabaseBesideItsArchive:
    """Made empty it would archive over its own backups: its Kustomization fails until a person has said that it may."""

    def test_a_bootstrap_ends_there_with_the_command_and_converges_once_it_was_accepted(self, tmp_path: Path) -> None:
        database = Database("apps", "postgres", "apps/notes", archives=True, recovers=False, declared_in="db.yaml:1")
        running = Running(tmp_path / "state", a_house(databases=(database,)))
        running.backed_up()
        report = running.apply(running.bootstrap)
        assert (report.exit_code, report.root_causes) == (EXIT_HELD, ())
        told = report["flux.reconcile"]
        assert told.outcome is Outcome.HELD and told.detail.endswith("1 for a database that the hold refuses")
        assert "(invoke dr.restore, or dr.release): apps/notes" in " ".join(told.evidence)
        assert report["hold.database/apps/postgres"].outcome is Outcome.FAILED
        assert ("apps", "postgres") not in running.home.kube.objects().databases_made
        (told,) = lift_database(running.home.act("by-hand"), database, "it was a trial")
        assert "may be made empty beside its own backups" in told
        assert running.apply(running.bootstrap).exit_code == EXIT_HELD
        assert ("apps", "postgres") in running.home.kube.objects().databases_made

    def test_one_that_recovers_is_made(self, tmp_path: Path) -> None:
        database = Database("apps", "postgres", "apps/notes", archives=True, recovers=True, declared_in="db.yaml:1")
        running = Running.bootstrapped(tmp_path / "state", a_house(databases=(database,)))
        assert ("apps", "postgres") in running.home.kube.objects().databases_made
