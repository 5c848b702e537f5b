"""recovery.keep-old and undo.*: the volume of a claim that was replaced stays, comes back as it was, or is let go by consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from adapters.kept.results import KeptState
from cluster.course import Course
from engine.errors import EXIT_HELD, EXIT_OK, ApprovalMissing, PermanentError, SettingsInvalid
from engine.probe import Condition
from lab.world.store import a_file
from recovery.course import course
from recovery.courses.undoing import cut_off_course, let_go_course, to_let_go, to_undo, undo_course
from recovery.selection import select
from recovery.steps.volumes.begin_undo import ComesBack
from tests.hands import Notebook, do, only, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

KEY = ("apps", "notes")
KEEP, DELETE = "recovery.keep-old/apps/notes", "recovery.delete-claim/apps/notes"
BEGIN, CLEAR, BACK = "undo.begin/apps/notes", "undo.delete-claim/apps/notes", "undo.put-back/apps/notes"
BOUND, RELEASE, GO = "undo.bound/apps/notes", "undo.release/apps/notes", "undo.let-go/apps/notes"
MINE = (a_file("notes/one.md", "written this morning"), a_file("notes/three.md", "and never backed up"))


def replacing(house: Restoring) -> Course:
    return course(house.house, house.house.claims, again=house.house.claims)


def undoing(house: Restoring) -> Course:
    claim, volume = to_undo(house.home.look(), house.house, "notes")
    return undo_course(house.house, claim, volume.name)


@pytest.fixture
def replaced(alive: Restoring) -> Restoring:
    """Restored over data that were alive and that no backup has."""
    alive.home.kube.objects().claims[KEY].entries = MINE
    report = alive.apply(replacing(alive), alive.consent(replacing(alive)))
    assert report.exit_code == EXIT_OK, report.root_causes
    assert alive.home.kube.objects().claims[KEY].entries == DATA
    alive.clock.sleep(60)
    return alive


def undo(house: Restoring) -> None:
    whole = undoing(house)
    report = house.apply(whole, house.consent(whole))
    assert report.exit_code == EXIT_OK, [(each.id, each.detail, each.error) for each in report.root_causes]
    house.clock.sleep(60)


class TestKept:
    def test_what_was_in_use_stays_when_its_claim_goes(self, replaced: Restoring) -> None:
        (kept,) = replaced.home.look().kept.volumes()
        assert (kept.key, kept.state, kept.policy) == ("apps/notes", KeptState.FREE, "Delete")
        assert replaced.home.kube.objects().kept[kept.name].entries == MINE

    def test_it_is_kept_before_the_claim_is_deleted_and_only_where_somebody_approved(self, alive: Restoring) -> None:
        uid = alive.home.kube.objects().claims[KEY].uid
        with pytest.raises(PermanentError, match="nobody approved"):
            do(alive, replacing(alive), KEEP)
        image = alive.destination.image
        assert image is not None
        alive.entry_says(replaces=uid, state=HoldState.PROVEN, image=image.name)
        with pytest.raises(PermanentError, match="its volume is not kept"):
            do(alive, replacing(alive), DELETE)
        assert see(alive, replacing(alive), KEEP).condition is Condition.MISSING
        do(alive, replacing(alive), KEEP)
        assert "invoke dr.undo apps/notes" in see(alive, replacing(alive), KEEP).detail

    def test_a_mark_that_a_hand_took_off_stops_the_deletion(self, alive: Restoring) -> None:
        uid, image = alive.home.kube.objects().claims[KEY].uid, alive.destination.image
        assert image is not None
        alive.entry_says(replaces=uid, state=HoldState.PROVEN, image=image.name)
        do(alive, replacing(alive), KEEP)
        alive.home.kube.objects().kept.clear()
        with pytest.raises(PermanentError, match="its volume is not kept"):
            do(alive, replacing(alive), DELETE)
        assert alive.home.kube.objects().claims[KEY].uid == uid


class TestUndo:
    def test_exactly_what_was_there_comes_back_and_is_backed_up_again(self, replaced: Restoring) -> None:
        (kept,) = replaced.home.look().kept.volumes()
        undo(replaced)
        claim = replaced.home.kube.objects().claims[KEY]
        assert (claim.entries, claim.app_ready, claim.bound_to) == (MINE, True, kept.name)
        assert replaced.entry.state is HoldState.RELEASED
        assert "undone: the volume lab" in replaced.entry.depth
        source = replaced.home.kube.objects().sources[KEY]
        source.wanted = True
        replaced.home.act("x").claims.nudge("ReplicationSource", *KEY)
        replaced.clock.sleep(60)
        assert replaced.home.store.repositories[replaced.address].snapshots[-1].entries == MINE

    def test_what_had_been_restored_is_kept_in_its_turn_so_an_undo_can_be_undone(self, replaced: Restoring) -> None:
        undo(replaced)
        (kept,) = replaced.home.look().kept.volumes()
        assert replaced.home.kube.objects().kept[kept.name].entries == DATA
        undo(replaced)
        assert replaced.home.kube.objects().claims[KEY].entries == DATA
        undo(replaced)
        assert replaced.home.kube.objects().claims[KEY].entries == MINE

    def test_without_consent_nothing_is_touched(self, replaced: Restoring) -> None:
        before = replaced.home.kube.objects().claims[KEY]
        assert replaced.apply(undoing(replaced)).exit_code == ApprovalMissing.exit_code
        assert replaced.home.kube.objects().claims[KEY] is before
        assert replaced.entry.state is HoldState.RELEASED

    def test_the_consent_names_both_volumes(self, replaced: Restoring) -> None:
        seen = see(replaced, undoing(replaced), BEGIN)
        named = step(undoing(replaced), BEGIN).identity(seen)
        (kept,) = replaced.home.look().kept.volumes()
        now = replaced.home.kube.objects().claims[KEY]
        assert isinstance(named, ComesBack)
        assert (named.uid, named.volume, named.kept_of) == (now.uid, kept.name, kept.uid)
        now.uid = "another"
        with pytest.raises(PermanentError, match="not what the consent named"):
            step(undoing(replaced), BEGIN).apply(replaced.home.act("x"), seen, Notebook())

    def test_a_restore_that_broke_off_without_its_old_claim_is_undone(self, alive: Restoring) -> None:
        alive.home.kube.objects().claims[KEY].entries = MINE
        whole = replacing(alive)
        part = only(whole, "preflight.", "hold.", "recovery.hold-again", "recovery.pin", "recovery.restore", "recovery.prove",
                    "recovery.stop-app", "recovery.keep-old", "recovery.delete-claim")
        assert alive.apply(part, alive.consent(whole)).exit_code in (EXIT_OK, EXIT_HELD)
        assert KEY not in alive.home.kube.objects().claims
        undo(alive)
        claim = alive.home.kube.objects().claims[KEY]
        assert (claim.entries, claim.app_ready) == (MINE, True)
        assert (alive.destination.ours, alive.destination.restore_as_of) == (False, "")
        assert not alive.home.kube.objects().kustomizations["apps/notes"].suspended
        assert alive.home.look().kept.volumes() == ()

    def test_a_restore_keeps_off_an_undo_that_was_cut_off_and_the_undo_goes_on(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        part = only(whole, "hold.", "undo.begin", "recovery.stop-app", "recovery.keep-old", "undo.delete-claim")
        assert replaced.apply(part, replaced.consent(whole)).converged
        with pytest.raises(PermanentError, match="an undo of apps/notes was begun"):
            see(replaced, replacing(replaced), "recovery.hold-again/apps/notes")
        (free,) = [one for one in replaced.home.look().kept.volumes() if one.name == replaced.entry.undo]
        assert to_undo(replaced.home.look(), replaced.house, "notes")[1] == free, "not the one that was kept last"
        report = replaced.apply(undoing(replaced))
        assert report.exit_code == EXIT_OK, [(each.id, each.detail) for each in report.root_causes]
        assert replaced.home.kube.objects().claims[KEY].entries == MINE

    def test_a_claim_that_came_to_life_meanwhile_needs_a_consent_of_its_own(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        part = only(whole, "hold.", "undo.begin", "recovery.stop-app", "recovery.keep-old")
        replaced.apply(part, replaced.consent(whole))
        replaced.home.kube.objects().claims[KEY].uid = "stranger"
        assert see(replaced, undoing(replaced), BEGIN).condition is Condition.MISSING
        assert replaced.apply(undoing(replaced)).exit_code == ApprovalMissing.exit_code
        assert replaced.home.kube.objects().claims[KEY].uid == "stranger"

    def test_a_claim_on_another_volume_is_never_released(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        part = only(whole, "hold.", "undo.begin", "recovery.", "undo.delete-claim", "undo.put-back", "undo.bound")
        replaced.apply(part, replaced.consent(whole))
        claim = replaced.home.kube.objects().claims[KEY]
        claim.volume = "vol-of-somebody"
        with pytest.raises(PermanentError, match="bound to another volume"):
            see(replaced, whole, BOUND)
        with pytest.raises(PermanentError, match="bound to another volume"):
            do(replaced, whole, RELEASE)
        assert replaced.entry.state is HoldState.HELD

    def test_a_kept_volume_that_is_gone_stops_everything(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        replaced.home.kube.objects().kept.clear()
        for name in (BEGIN, BACK):
            with pytest.raises(PermanentError, match="is not kept any more"):
                see(replaced, whole, name)

    def test_somebody_else_s_suspension_is_told_before_anything(self, replaced: Restoring) -> None:
        table = replaced.home.kube.objects().kustomizations
        table["apps/notes"] = replace(table["apps/notes"], suspended=True)
        with pytest.raises(PermanentError, match="stays so"):
            see(replaced, undoing(replaced), BEGIN)

    def test_where_nothing_is_kept_that_is_said(self, alive: Restoring) -> None:
        with pytest.raises(PermanentError, match="nothing is kept of apps/notes"):
            undoing(alive)
        for words in ("", "notes,photos", "nots"):
            with pytest.raises(SettingsInvalid):
                to_undo(alive.home.look(), alive.house, words)

    def test_it_begins_once_the_backup_that_is_at_work_has_ended(self, replaced: Restoring) -> None:
        source = replaced.home.kube.objects().sources[KEY]
        source.wanted = True
        replaced.home.act("x").claims.nudge("ReplicationSource", *KEY)
        assert source.running
        do(replaced, undoing(replaced), BEGIN)
        assert not source.running

    def test_no_claim_is_deleted_for_a_volume_that_is_not_to_be_had_nor_without_its_own_kept(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        replaced.apply(only(whole, "hold.", "undo.begin", "recovery.stop-app", "recovery.keep-old"), replaced.consent(whole))
        table, claim = replaced.home.kube.objects().kept, replaced.home.kube.objects().claims[KEY]
        (own,) = [one for one in table.values() if one.held_by == claim.uid]
        del table[own.name]
        with pytest.raises(PermanentError, match="its volume is not kept"):
            do(replaced, whole, CLEAR)
        table[own.name] = own
        table[replaced.entry.undo].held_by = "somebody"
        with pytest.raises(PermanentError, match="is not to be had"):
            do(replaced, whole, CLEAR)
        assert replaced.home.kube.objects().claims[KEY] is claim

    def test_without_the_hold_no_claim_is_given_its_volume(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        part = only(whole, "hold.", "undo.begin", "recovery.stop-app", "recovery.keep-old", "undo.delete-claim")
        replaced.apply(part, replaced.consent(whole))
        replaced.home.kube.objects().policies_bite_at = None
        with pytest.raises(PermanentError, match="is not given its volume of before"):
            do(replaced, whole, BACK)
        assert not replaced.home.kube.objects().kept[replaced.entry.undo].promised

    def test_a_claim_that_is_not_there_is_not_released(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        part = only(whole, "hold.", "undo.begin", "recovery.stop-app", "recovery.keep-old", "undo.delete-claim", "undo.put-back")
        replaced.apply(part, replaced.consent(whole))
        with pytest.raises(PermanentError, match="is not released: it is absent"):
            do(replaced, whole, RELEASE)
        assert replaced.entry.state is HoldState.HELD

    def test_a_restore_of_all_that_is_held_leaves_one_that_is_being_undone_alone(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        replaced.apply(only(whole, "hold.", "undo.begin"), replaced.consent(whole))
        chosen = select(replaced.home.look(), replaced.house, "", {})
        assert (chosen.wanted, chosen.again) == ((), ())

    def test_a_claim_nobody_approved_is_not_deleted(self, replaced: Restoring) -> None:
        with pytest.raises(PermanentError, match="nobody approved"):
            do(replaced, undoing(replaced), CLEAR)


class TestLetGo:
    def test_it_goes_by_consent_alone(self, replaced: Restoring) -> None:
        whole = let_go_course(*to_let_go(replaced.home.look(), "notes"))
        assert replaced.apply(whole).exit_code == ApprovalMissing.exit_code
        assert len(replaced.home.look().kept.volumes()) == 1
        seen = see(replaced, whole, GO)
        assert "is deleted by its storage" in seen.evidence[0]
        assert replaced.apply(whole, replaced.consent(whole)).exit_code == EXIT_OK
        assert replaced.home.look().kept.volumes() == ()
        assert replaced.plan(whole).changes == ()

    def test_what_was_kept_since_the_consent_does_not_go_with_it(self, replaced: Restoring) -> None:
        whole = let_go_course(*KEY)
        seen = see(replaced, whole, GO)
        kept = replaced.home.kube.objects().kept
        kept["vol-later"] = replace(next(iter(kept.values())), name="vol-later", uid="later")
        with pytest.raises(PermanentError, match="not what the consent named"):
            step(whole, GO).apply(replaced.home.act("x"), seen, Notebook())
        assert len(kept) == 2

    def test_one_that_is_in_use_loses_the_mark_alone(self, alive: Restoring) -> None:
        uid = alive.home.kube.objects().claims[KEY].uid
        alive.home.act("x").kept.keep(*KEY, uid)
        whole = let_go_course(*KEY)
        assert "our mark alone" in see(alive, whole, GO).evidence[0]
        assert alive.apply(whole).exit_code == EXIT_OK, "nothing is lost, nobody is asked"
        assert alive.home.kube.objects().claims[KEY].entries == DATA

    def test_not_in_the_middle_of_an_undo(self, replaced: Restoring) -> None:
        whole = undoing(replaced)
        replaced.apply(only(whole, "hold.", "undo.begin"), replaced.consent(whole))
        with pytest.raises(PermanentError, match="on its way"):
            see(replaced, let_go_course(*KEY), GO)

    def test_not_of_an_undo_that_was_begun_since_the_look(self, replaced: Restoring) -> None:
        seen, whole = see(replaced, let_go_course(*KEY), GO), undoing(replaced)
        replaced.apply(only(whole, "hold.", "undo.begin"), replaced.consent(whole))
        with pytest.raises(PermanentError, match="on its way"):
            step(let_go_course(*KEY), GO).apply(replaced.home.act("x"), seen, Notebook())

    def test_a_word_that_names_nothing_kept_is_refused(self, replaced: Restoring) -> None:
        with pytest.raises(SettingsInvalid, match="photos names nothing that is kept"):
            to_let_go(replaced.home.look(), "photos")


def test_what_ends_an_undo_that_was_cut_off_is_the_very_step_that_was_begun(replaced: Restoring) -> None:
    whole = undoing(replaced)
    undo(replaced)
    left = cut_off_course(replaced.home.look(), replaced.house, replaced.house.claims[0], [RELEASE])
    assert left is not None
    assert step(left, RELEASE).inputs == step(whole, RELEASE).inputs
