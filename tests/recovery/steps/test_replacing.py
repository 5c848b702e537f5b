"""recovery.hold-again, stop-app, delete-claim, start-app: data that are alive are replaced only by name, and only once proven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from cluster.course import Course
from engine.approval import Approval, ApprovedAct
from engine.errors import ApprovalMissing, PermanentError
from engine.probe import Condition, missing
from engine.step import Hazard, StepId
from lab.world.store import a_file
from recovery.course import course
from recovery.steps.hold.hold_again import Replacement
from tests.hands import Notebook, do, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

HOLD, STOP = "recovery.hold-again/apps/notes", "recovery.stop-app/apps/notes"
DELETE, START = "recovery.delete-claim/apps/notes", "recovery.start-app/apps/notes"


def replacing(house: Restoring) -> Course:
    """The course that restores over the claim that is alive."""
    return course(house.house, house.house.claims, again=house.house.claims)


def consent(house: Restoring) -> Approval:
    """Consent to exactly what the plan names."""
    return Approval("digest", frozenset(house.plan(replacing(house)).acts), house.clock.now() + 600)


def test_it_names_the_claim_s_uid_and_the_snapshot_that_replaces_it(alive: Restoring) -> None:
    seen = see(alive, replacing(alive), HOLD)
    assert seen.condition is Condition.MISSING
    found = step(replacing(alive), HOLD)
    uid = alive.home.kube.objects().claims[("apps", "notes")].uid
    assert found.hazard(seen) is Hazard.DESTROYS
    assert uid in str(found.identity(seen))
    assert alive.home.store.repositories[alive.address].snapshots[-1].snapshot_id[:8] in str(found.identity(seen))


def test_it_says_what_changed_since_the_snapshot_before_and_what_is_left_behind(alive: Restoring) -> None:
    alive.home.store.back_up(alive.address, DATA[1:], alive.clock.now())
    gone = DATA[0].path
    told = see(alive, replacing(alive), HOLD)
    assert f"1 vanished ({gone}), " in told.detail
    kept = "what is in it goes out of use, and its volume is kept until it is let go"
    assert told.detail.startswith(f"bound and alive: {kept}; against ")
    as_of = alive.home.store.repositories[alive.address].snapshots[-2].time
    older = course(alive.house, alive.house.claims, again=alive.house.claims, as_of=as_of)
    assert "; 1 snapshot is newer than the one to restore; what the first backup keeps: last 3" in see(alive, older, HOLD).detail
    repository = alive.home.store.repositories[alive.address]
    repository.half_listing = True
    assert see(alive, replacing(alive), HOLD).condition is Condition.MISSING


def test_without_consent_nothing_is_touched(alive: Restoring) -> None:
    before = alive.home.kube.objects().claims[("apps", "notes")]
    report = alive.apply(replacing(alive))
    assert report.exit_code == ApprovalMissing.exit_code
    assert alive.home.kube.objects().claims[("apps", "notes")] is before
    assert alive.entry.state is HoldState.RELEASED


def test_a_consent_to_another_claim_or_snapshot_is_none(alive: Restoring) -> None:
    named = step(replacing(alive), HOLD).identity(see(alive, replacing(alive), HOLD))
    assert isinstance(named, Replacement)
    other_uid = replace(named, uid="other")
    other = Approval("digest", frozenset({ApprovedAct.to(other_uid, StepId(HOLD), Hazard.DESTROYS)}), 1e12)
    assert alive.apply(replacing(alive), approval=other).exit_code == ApprovalMissing.exit_code


def test_with_consent_the_data_are_replaced_proven_and_backed_up_again(alive: Restoring) -> None:
    claims = alive.home.kube.objects().claims
    old = claims[("apps", "notes")]
    old.entries = (a_file("ruined", "by hand"),)
    report = alive.apply(replacing(alive), approval=consent(alive))
    assert report.exit_code == 0, [(s.id, s.detail) for s in report.root_causes]
    new = claims[("apps", "notes")]
    assert new.uid != old.uid
    assert (new.entries, new.app_ready) == (DATA, True)
    assert alive.plan(replacing(alive)).acts != (), "asking for it again is asking for consent again"


def test_the_application_runs_on_until_the_replacement_is_proven(alive: Restoring) -> None:
    alive.home.store.repositories[alive.address].half_listing = True
    report = alive.apply(replacing(alive), approval=consent(alive))
    assert [s.id for s in report.root_causes] == ["recovery.prove/apps/notes"]
    assert alive.home.kube.objects().claims[("apps", "notes")].app_ready
    assert see(alive, replacing(alive), STOP).condition is Condition.MISSING


def test_a_claim_that_nobody_named_is_never_deleted(alive: Restoring) -> None:
    with pytest.raises(PermanentError, match="nobody approved"):
        do(alive, replacing(alive), DELETE)
    assert ("apps", "notes") in alive.home.kube.objects().claims


def test_without_any_restore_point_it_is_refused_before_consent_is_asked(alive: Restoring) -> None:
    alive.home.store.repositories.clear()
    with pytest.raises(PermanentError, match="no restore point for apps/notes: missing"):
        see(alive, replacing(alive), HOLD)


def test_what_is_stopped_is_started_again(alive: Restoring) -> None:
    do(alive, replacing(alive), STOP)
    alive.clock.sleep(10)
    assert see(alive, replacing(alive), STOP).condition is Condition.SATISFIED
    assert see(alive, replacing(alive), START).condition is Condition.MISSING
    do(alive, replacing(alive), START)
    alive.clock.sleep(10)
    assert see(alive, replacing(alive), START).condition is Condition.SATISFIED
    assert alive.home.kube.objects().claims[("apps", "notes")].app_ready


NEWER = (a_file("notes/one.md", "written after the plan was read"),)


def test_a_newer_snapshot_between_plan_and_run_is_not_what_was_consented_to(alive: Restoring) -> None:
    given = consent(alive)
    alive.clock.sleep(3600)
    alive.home.seed_backup(alive.address, NEWER, 60)
    report = alive.apply(replacing(alive), approval=given)
    assert report.exit_code == ApprovalMissing.exit_code
    assert alive.entry.state is HoldState.RELEASED


def test_a_newer_snapshot_after_the_last_look_does_not_take_the_place_of_the_one_consented_to(alive: Restoring) -> None:
    found, seen = step(replacing(alive), HOLD), see(alive, replacing(alive), HOLD)
    named = alive.home.store.repositories[alive.address].snapshots[-1]
    alive.clock.sleep(3600)
    alive.home.seed_backup(alive.address, NEWER, 60)
    found.apply(alive.home.act("by-hand"), seen, Notebook())
    assert (alive.entry.snapshot_id, alive.entry.state) == (named.snapshot_id, HoldState.HELD)
    assert str(found.identity(seen)) == f"claim apps/notes uid {alive.entry.replaces} replaced by snapshot " + (
        f"{alive.entry.snapshot_id[:8]} of {alive.entry.pin}"
    )


def test_what_was_consented_to_and_is_gone_is_not_replaced_by_anything_else(alive: Restoring) -> None:
    found, seen = step(replacing(alive), HOLD), see(alive, replacing(alive), HOLD)
    del alive.home.store.repositories[alive.address].snapshots[-1]
    with pytest.raises(PermanentError, match="that the consent named is gone") as gone:
        found.apply(alive.home.act("by-hand"), seen, Notebook())
    assert "a new plan names the newest" in gone.value.hint
    assert (alive.entry.state, alive.entry.pin) == (HoldState.HELD, ""), "what is left must not be pushed out as well"


def test_another_claim_in_its_place_is_not_what_was_consented_to(alive: Restoring) -> None:
    found, seen = step(replacing(alive), HOLD), see(alive, replacing(alive), HOLD)
    claims = alive.home.kube.objects().claims
    claims[("apps", "notes")] = replace(claims[("apps", "notes")], uid="another")
    with pytest.raises(PermanentError, match="not what the consent named"):
        found.apply(alive.home.act("by-hand"), seen, Notebook())


class TestSuspensions:
    """Flux is kept still by us, or was by somebody else: only ours is ever taken back."""

    def flux(self, house: Restoring) -> tuple[bool, bool]:
        """Suspended, and by us."""
        found = house.home.kube.objects().kustomizations["apps/notes"]
        return found.suspended, found.ours

    def by_somebody(self, house: Restoring) -> None:
        table = house.home.kube.objects().kustomizations
        table["apps/notes"] = replace(table["apps/notes"], suspended=True)

    def test_ours_is_taken_back_though_the_journal_was_lost(self, alive: Restoring) -> None:
        do(alive, replacing(alive), STOP)
        assert self.flux(alive) == (True, True)
        alive.folder = alive.folder / "another"
        assert see(alive, replacing(alive), START).condition is Condition.MISSING
        do(alive, replacing(alive), START)
        assert self.flux(alive) == (False, False)

    def test_somebody_else_s_is_told_before_consent_and_nothing_is_held_or_stopped(self, alive: Restoring) -> None:
        given = consent(alive)
        self.by_somebody(alive)
        report = alive.apply(replacing(alive), approval=given)
        (cause,) = report.root_causes
        assert cause.id == HOLD
        assert "Kustomization apps/notes is suspended, not by us, and stays so" in str(cause.error)
        assert self.flux(alive) == (True, False)
        assert alive.entry.state is HoldState.RELEASED
        assert alive.home.kube.objects().claims[("apps", "notes")].app_ready

    def test_somebody_else_s_in_the_middle_of_it_stops_nothing_and_deletes_nothing(self, alive: Restoring) -> None:
        self.by_somebody(alive)
        with pytest.raises(PermanentError, match="stays so"):
            see(alive, replacing(alive), STOP)
        found = step(replacing(alive), STOP)
        with pytest.raises(PermanentError, match="stays so"):
            found.apply(alive.home.act("by-hand"), missing("it runs"), Notebook())
        assert alive.home.kube.objects().claims[("apps", "notes")].app_ready

    def test_somebody_else_s_once_the_claim_is_there_stays_and_is_told(self, alive: Restoring) -> None:
        do(alive, replacing(alive), STOP)
        do(alive, replacing(alive), START)
        self.by_somebody(alive)
        seen = see(alive, replacing(alive), START)
        assert seen.condition is Condition.SATISFIED
        assert "apps/notes was suspended by somebody else, and stays so" in seen.detail
        do(alive, replacing(alive), START)
        assert self.flux(alive) == (True, False)

    def test_while_flux_may_start_it_again_it_is_not_stopped(self, alive: Restoring) -> None:
        do(alive, replacing(alive), STOP)
        alive.clock.sleep(10)
        table = alive.home.kube.objects().kustomizations
        table["apps/notes"] = replace(table["apps/notes"], suspended=False, ours=False)
        assert see(alive, replacing(alive), STOP).condition is Condition.MISSING


def test_what_lives_is_not_deleted_once_its_replacement_is_not_proven_any_more(alive: Restoring) -> None:
    uid = alive.home.kube.objects().claims[("apps", "notes")].uid
    image = alive.destination.image
    assert image is not None
    for state, proven in ((HoldState.HELD, ""), (HoldState.PROVEN, "volsync-of-yesterday")):
        alive.entry_says(replaces=uid, state=state, image=proven)
        with pytest.raises(PermanentError, match="not proven any more"):
            do(alive, replacing(alive), DELETE)
    alive.entry_says(replaces=uid, state=HoldState.PROVEN, image=image.name)
    image.ready = False
    with pytest.raises(PermanentError, match="not proven any more") as gone:
        do(alive, replacing(alive), DELETE)
    assert "not ready to use" in gone.value.evidence[1]
    assert alive.home.kube.objects().claims[("apps", "notes")].uid == uid
    image.ready = True
    do(alive, replacing(alive), "recovery.keep-old/apps/notes")
    do(alive, replacing(alive), DELETE)
