"""recovery.first-backup: one complete backup of the real data after the release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.backups.results import RepositoryLook
from adapters.hold.results import HoldState
from adapters.volsync.results import FileEntry, SourceBackups
from cluster.backups.audit import repository_of
from engine.errors import PermanentError, TransientError
from engine.probe import Condition
from lab.ports.volumes.claims import ModelledClaims
from lab.world.store import Trouble, a_file
from recovery.steps.hold.first_backup import after_release, files_in, trigger_of
from tests.hands import Notebook, do, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

STEP = "recovery.first-backup/apps/notes"


def test_after_a_whole_restore_it_is_there_and_holds_what_came_back(alive: Restoring) -> None:
    assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
    pinned, first = alive.home.store.repositories[alive.address].snapshots
    assert first.entries == pinned.entries


def test_neither_the_pinned_nor_an_incomplete_nor_an_empty_one_counts(alive: Restoring) -> None:
    repository = alive.home.store.repositories[alive.address]
    del repository.snapshots[1:]
    assert see(alive, alive.restore, STEP).condition is Condition.MISSING
    alive.home.store.back_up(alive.address, DATA, alive.clock.now(), complete=False)
    assert see(alive, alive.restore, STEP).condition is Condition.MISSING
    alive.home.store.back_up(alive.address, (), alive.clock.now())
    assert see(alive, alive.restore, STEP).condition is Condition.MISSING
    alive.home.store.back_up(alive.address, DATA, alive.clock.now())
    assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED


def test_one_that_was_lost_is_made_again_and_the_schedule_is_given_back(alive: Restoring) -> None:
    del alive.home.store.repositories[alive.address].snapshots[1:]
    do(alive, alive.restore, STEP)
    assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
    assert alive.home.kube.objects().sources[("apps", "notes")].manual == ""


def test_a_claim_that_is_not_the_released_one_any_more_is_not_backed_up_whatever_the_store_says(alive: Restoring) -> None:
    claims = alive.home.kube.objects().claims
    was = claims[("apps", "notes")]
    claims[("apps", "notes")] = replace(was, uid="another")
    seen = see(alive, alive.restore, STEP)
    assert seen.condition is Condition.UNKNOWN
    assert seen.detail.startswith("not released: released once, and another claim stands in its place")
    with pytest.raises(PermanentError, match="not released any more"):
        do(alive, alive.restore, STEP)
    assert alive.home.kube.objects().sources[("apps", "notes")].manual == ""
    del claims[("apps", "notes")]
    assert "the claim is gone" in see(alive, alive.restore, STEP).detail
    claims[("apps", "notes")] = was
    alive.entry_says(state=HoldState.HELD)
    assert see(alive, alive.restore, STEP).detail == "not released: held"


def test_backups_that_go_to_another_repository_are_a_failure_with_its_name(alive: Restoring) -> None:
    alive.home.store.repositories[alive.address].repository_id = "cd" * 32
    with pytest.raises(PermanentError, match="not backed up to the repository that it was restored from"):
        see(alive, alive.restore, STEP)


def test_a_snapshot_without_a_summary_is_counted_by_its_own_list(alive: Restoring) -> None:
    backups, repository = alive.home.look().backups, repository_of(alive.house, alive.house.claims[0])
    point = replace(backups.look(repository).points[0], files=None)
    assert files_in(backups, repository, point) == len(DATA)
    alive.home.store.repositories[alive.address].half_listing = True
    with pytest.raises(TransientError, match="broke off"):
        files_in(backups, repository, point)


def test_what_somebody_else_copied_into_the_repository_is_no_backup_of_the_claim(alive: Restoring) -> None:
    seen, source = looked(alive)
    assert after_release(seen, alive.entry, source, alive.clock.now()) is not None
    strange = tuple(replace(point, paths=("/home/me",)) for point in seen.points)
    assert after_release(replace(seen, points=strange), alive.entry, source, alive.clock.now()) is None


def test_what_another_house_s_mover_saves_is_no_backup_of_this_claim(alive: Restoring) -> None:
    """The old cluster still lives, and backs up its own volume to the same place, as the same host and from the same path."""
    del alive.home.store.repositories[alive.address].snapshots[1:]
    source = alive.home.kube.objects().sources[("apps", "notes")]
    source.last_sync = alive.entry.released - 3600.0
    alive.home.store.back_up(alive.address, DATA, alive.clock.now())
    seen = see(alive, alive.restore, STEP)
    assert seen.condition is Condition.MISSING
    assert any("another cluster backs up to the same repository" in line for line in seen.evidence)
    do(alive, alive.restore, STEP)
    assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
    point = after_release(*looked(alive)[:1], alive.entry, looked(alive)[1], alive.clock.now())
    assert point is not None
    assert point.snapshot_id == alive.home.store.repositories[alive.address].snapshots[-1].snapshot_id


class TestWhenItBegan:
    """A mover that was at work when the claim was held again saves the old data: that is not the backup that is waited for."""

    OLD = (a_file("ruined", "what was replaced"),)

    def test_one_that_was_begun_before_the_release_is_not_the_first_after_it(self, alive: Restoring) -> None:
        del alive.home.store.repositories[alive.address].snapshots[1:]
        assert alive.entry.since < alive.entry.released
        alive.home.store.back_up(alive.address, self.OLD, alive.entry.released - 0.5)
        assert see(alive, alive.restore, STEP).condition is Condition.MISSING
        do(alive, alive.restore, STEP)
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
        seen, source = looked(alive)
        point = after_release(seen, alive.entry, source, alive.clock.now())
        assert point is not None
        assert alive.home.store.repositories[alive.address].snapshots[-1].snapshot_id == point.snapshot_id

    def test_what_our_own_trigger_saved_counts_though_the_node_s_clock_is_behind(self, alive: Restoring) -> None:
        del alive.home.store.repositories[alive.address].snapshots[1:]
        do(alive, alive.restore, STEP)
        alive.entry_says(released=alive.clock.now() + 300)
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
        alive.home.kube.objects().sources[("apps", "notes")].last_manual = "somebody's"
        assert see(alive, alive.restore, STEP).condition is Condition.MISSING

    def test_a_record_that_does_not_know_when_counts_from_when_it_was_held(self, alive: Restoring) -> None:
        alive.entry_says(released=0.0)
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED


class TestTheTrigger:
    """VolSync credits whatever run ends while it stands there, and never runs twice for the same one."""

    def test_one_that_ran_already_is_asked_for_under_another_name(self, alive: Restoring) -> None:
        del alive.home.store.repositories[alive.address].snapshots[1:]
        source = alive.home.kube.objects().sources[("apps", "notes")]
        source.last_manual = trigger_of(alive.entry)
        do(alive, alive.restore, STEP)
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
        assert source.last_manual == f"{trigger_of(alive.entry)}-again-1"

    def test_a_run_of_the_empty_claim_that_is_credited_with_it_is_not_taken_for_the_answer(self, alive: Restoring) -> None:
        repository = alive.home.store.repositories[alive.address]
        del repository.snapshots[1:]
        act = replace(alive.home.act("by-hand"), claims=BegunBefore(alive.home.kube, alive.home.volsync))
        step(alive.restore, STEP).apply(act, see(alive, alive.restore, STEP), Notebook())
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
        assert len(repository.snapshots) == 2

    def test_a_source_without_a_schedule_keeps_ours_for_without_any_it_would_never_stop(self, alive: Restoring) -> None:
        del alive.home.store.repositories[alive.address].snapshots[1:]
        source = alive.home.kube.objects().sources[("apps", "notes")]
        source.schedule = ""
        do(alive, alive.restore, STEP)
        assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED
        assert source.manual == trigger_of(alive.entry)


class BegunBefore(ModelledClaims):
    """Just before our first trigger comes, VolSync has begun a run by itself, on a claim that is still empty."""

    begun = False

    def back_up_now(self, namespace: str, source: str, trigger: str) -> str:
        """As ever, but for the first."""
        if self.begun:
            return super().back_up_now(namespace, source, trigger)
        self.begun = True
        objects = self._kube.objects()
        claim, found = objects.claims[(namespace, "notes")], objects.sources[(namespace, source)]
        entries, claim.entries, found.wanted = claim.entries, (), True
        self._volsync.nudge(objects, found)
        self._world.after(self._kube.delays.backup_s + 0.1, "data", lambda: setattr(claim, "entries", entries))
        return super().back_up_now(namespace, source, trigger)


def looked(house: Restoring) -> tuple[RepositoryLook, SourceBackups]:
    """The repository and the source as they are now."""
    look = house.home.look()
    return look.backups.look(repository_of(house.house, house.house.claims[0])), look.claims.source("apps", "notes")


def test_a_repository_that_cannot_be_seen_says_nothing(alive: Restoring) -> None:
    alive.home.store.repositories[alive.address].trouble = Trouble.UNREACHABLE
    assert see(alive, alive.restore, STEP).condition is Condition.UNKNOWN


def test_a_backup_under_way_and_a_source_that_is_not_there_yet_are_waited_for(alive: Restoring) -> None:
    del alive.home.store.repositories[alive.address].snapshots[1:]
    alive.home.kube.objects().sources[("apps", "notes")].running = True
    assert see(alive, alive.restore, STEP).condition is Condition.CHANGING
    alive.home.kube.objects().sources.clear()
    assert see(alive, alive.restore, STEP).condition is Condition.CHANGING


def test_a_paused_source_is_not_waited_for_until_a_person_has_ended_that(alive: Restoring) -> None:
    del alive.home.store.repositories[alive.address].snapshots[1:]
    source = alive.home.kube.objects().sources[("apps", "notes")]
    source.paused = True
    began = alive.clock.monotonic()
    assert "its source is paused" in see(alive, alive.restore, STEP).evidence
    with pytest.raises(PermanentError, match="nothing backs it up: its ReplicationSource notes is paused"):
        do(alive, alive.restore, STEP)
    assert alive.clock.monotonic() - began < 60.0
    source.paused = False
    do(alive, alive.restore, STEP)
    assert see(alive, alive.restore, STEP).condition is Condition.SATISFIED


class TestBesideThePin:
    """The first backup is of the claim; what was proven was an image: both lists say what became of it in between."""

    def backed_up(self, house: Restoring, *entries: FileEntry) -> None:
        """Let the first backup after the release hold these."""
        del house.home.store.repositories[house.address].snapshots[1:]
        house.home.store.back_up(house.address, entries, house.clock.now())

    def test_what_changed_is_told(self, alive: Restoring) -> None:
        self.backed_up(alive, replace(DATA[0], size=70), *DATA[1:], a_file("log", "started"))
        seen = see(alive, alive.restore, STEP)
        assert seen.condition is Condition.SATISFIED
        assert f"against the pin: 1 of another size ({DATA[0].path}), 1 new (log)" in seen.detail

    @pytest.mark.parametrize("entries", [DATA[:1], (a_file("settings.ini", "default"),)], ids=["half", "defaults"])
    def test_what_vanished_fails_by_its_name(self, alive: Restoring, entries: tuple[FileEntry, ...]) -> None:
        self.backed_up(alive, *entries)
        with pytest.raises(PermanentError, match="of 2 restored paths") as failed:
            see(alive, alive.restore, STEP)
        assert f"gone: {DATA[1].path}" in failed.value.evidence
        assert alive.apply(alive.restore).root_causes[0].id == STEP

    def test_how_much_may_vanish_is_the_settings_to_say(self, alive: Restoring) -> None:
        self.backed_up(alive, DATA[1])
        lenient = replace(alive.house.claims[0], requirement=replace(alive.house.claims[0].requirement, max_loss=0.5))
        alive.house = replace(alive.house, claims=(lenient,))
        assert f"1 gone ({DATA[0].path})" in see(alive, alive.restore, STEP).detail

    def test_a_pin_that_retention_has_forgotten_is_told_as_not_compared(self, alive: Restoring) -> None:
        del alive.home.store.repositories[alive.address].snapshots[:1]
        assert "not compared, for the pinned snapshot is not there any more" in see(alive, alive.restore, STEP).detail
