"""Released, lost, made again, the mover finds nothing, backup, retention: the hold comes back with the danger, and stops it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from engine.errors import EXIT_DRIFT, EXIT_HELD
from engine.report import Outcome
from recovery.course import course
from recovery.selection import select
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import DATA, Running

KEY = ("apps", "notes")


@pytest.fixture
def released(tmp_path: Path) -> Running:
    """Built, restored, released, and backed up since."""
    return Running.restored(tmp_path / "state")


def lose(house: Running) -> None:
    """The namespace is made anew while etcd lives: claim, destination and source are gone, and the record is not."""
    objects = house.home.kube.objects()
    objects.claims.clear()
    objects.destinations.clear()
    objects.sources.clear()


def late_mount(house: Running) -> None:
    """Where the repository lies, nothing is mounted: whatever starts now finds nothing, and makes a new one."""
    repositories = house.home.store.repositories
    repositories["where it lies"] = repositories.pop(house.house.claims[0].mover_repository)


def mounted(house: Running) -> None:
    repositories = house.home.store.repositories
    repositories[house.house.claims[0].mover_repository] = repositories.pop("where it lies")


def flux_makes_it_again(house: Running) -> None:
    objects = house.home.kube.objects()
    house.home.act("by-hand").flux.request("Kustomization", "apps", "notes")
    house.clock.sleep(60)
    assert KEY in objects.claims


def good(house: Running) -> list[str]:
    return [s.snapshot_id for s in house.home.store.repositories[house.house.claims[0].mover_repository].snapshots]


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.ACCEPTED_EMPTY])
def test_with_the_renewed_hold_no_good_snapshot_goes_and_a_restore_brings_the_data_back(
    released: Running, state: HoldState
) -> None:
    objects = released.home.kube.objects()
    assert objects.record is not None
    objects.record[KEY] = replace(objects.record[KEY], state=state)
    before = good(released)
    lose(released)
    verified = released.verify(released.bootstrap)
    assert verified.exit_code == EXIT_DRIFT
    assert "hold.declare/apps/notes" in {step.id for step in verified.root_causes}, told(verified)
    report = released.apply(released.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    assert report["hold.declare/apps/notes"].outcome is Outcome.CHANGED
    flux_makes_it_again(released)
    released.clock.sleep(3600)
    for source in objects.sources.values():
        source.retain_last = 1
    released.clock.sleep(3600)
    assert good(released) == before
    assert not objects.claims[KEY].bound
    chosen = select(released.home.look(), released.house, "", {})
    report = released.apply(course(released.house, chosen.wanted, again=chosen.again))
    assert report.exit_code == 0, told(report)
    assert objects.claims[KEY].entries == DATA


def test_a_restore_by_name_of_a_lost_claim_holds_it_first_and_answers_nothing_old(released: Running) -> None:
    lose(released)
    flux_makes_it_again(released)
    # Flux was faster: VolSync has filled it already. What was let go is not what stands there.
    chosen = select(released.home.look(), released.house, "apps/notes", {})
    assert [c.key for c in chosen.wanted] == ["apps/notes"]
    made = released.plan(course(released.house, chosen.wanted, again=chosen.again))
    assert "hold.declare/apps/notes" in {line.id for line in made.changes}


def test_a_restore_by_name_of_a_missing_claim_holds_it_and_once_flux_has_made_it_restores_it(released: Running) -> None:
    lose(released)
    chosen = select(released.home.look(), released.house, "apps/notes", {})
    assert chosen.again == ()
    report = released.apply(course(released.house, chosen.wanted, again=chosen.again))
    assert [step.id for step in report.root_causes] == ["recovery.restore/apps/notes"], told(report)
    assert "reconcile kustomization" in report["recovery.restore/apps/notes"].error.hint  # type: ignore[union-attr]  # it failed
    flux_makes_it_again(released)
    report = released.apply(course(released.house, chosen.wanted, again=chosen.again))
    assert report.exit_code == 0, told(report)
    outcomes = {step.id: step.outcome for step in report.steps}
    for verb in ("restore", "prove", "populate", "release"):
        assert outcomes[f"recovery.{verb}/apps/notes"] is Outcome.CHANGED, told(report)  # type: ignore[index]  # ids are texts
    entry = released.home.look().hold.record().claim(*KEY)
    assert entry is not None
    assert entry.uid == released.home.kube.objects().claims[KEY].uid


def test_without_the_renewed_hold_the_good_snapshots_go(released: Running) -> None:
    """The danger itself, so that the tests above prove something: nobody runs a bootstrap, and the record stays as it was."""
    before = good(released)
    lose(released)
    late_mount(released)
    flux_makes_it_again(released)
    mounted(released)
    source = released.home.kube.objects().sources[KEY]
    for _ in range(3):
        source.wanted, source.retain_last = True, 1
        released.home.act("by-hand").claims.nudge("ReplicationSource", *KEY)
        released.clock.sleep(60)
    assert not set(before) & set(good(released))
