"""Runs that are told to stop, that meet another run, or that have lost their journal: the next one converges all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.leased import leased
from adapters.surface import read_only
from cluster.course import Course
from engine import executor
from engine.errors import EXIT_HELD, EXIT_INTERRUPTED, EXIT_OK, JournalBusy
from engine.events import Event, StepBegun, StepNoted
from engine.journal import open_journal
from engine.plan import Planned
from engine.report import Outcome, Report
from engine.stop import Stop
from lab.world.store import a_file
from tests.hands import only
from tests.scenario.running import DATA, Running


def stopped_at(house: Running, course: Course, step: str, *, kind: type[Event] = StepBegun) -> Report:
    """A run that gets a first signal the moment this step's event is told."""
    stop = Stop()
    house.clock.heeds(stop)

    def watch(event: Event) -> None:
        if isinstance(event, kind) and getattr(event, "step", "") == step:
            stop.request("SIGINT")

    house.runs += 1
    run = f"run-{house.runs}"
    with open_journal(house.folder, lineage=house.house.id, run=run, now=house.clock.now) as journal:
        report = executor.run(
            course.graph(), house.home.look(), house.home.act(run), journal=journal, clock=house.clock,
            workers=house.clock.workers(), stop=stop, sink=watch, guards=course.guards,
        )  # fmt: skip
    house.clock.heeds(Stop())
    return report


BOOTSTRAP_STEPS = (
    "proxmox.fetch-image/pve-1", "proxmox.create-vm/cp-2", "proxmox.start-vm/w-1", "talos.apply-config/cp-1",
    "talos.bootstrap-etcd", "hold.declare/apps/notes", "hold.install", "helm.sync-release/kube-system/coredns",
)  # fmt: skip


@pytest.mark.parametrize("step", BOOTSTRAP_STEPS)
def test_a_signal_in_the_middle_of_a_bootstrap_and_the_next_run_converges(empty_house: Running, step: str) -> None:
    report = stopped_at(empty_house, empty_house.bootstrap, step)
    assert report.exit_code == EXIT_INTERRUPTED
    assert any(line.outcome is Outcome.INTERRUPTED for line in report.steps)
    assert empty_house.apply(empty_house.bootstrap).exit_code == EXIT_HELD
    assert {line.verdict for line in empty_house.plan(empty_house.bootstrap).lines} == {Planned.NOOP}
    made = [h.what for h in empty_house.home.world.happenings if " created on " in h.what]
    assert len(made) == len(set(made)) == 4
    assert len(empty_house.home.talos.etcd.clusters) == 1


def test_a_signal_while_a_proxmox_task_runs_and_the_next_run_does_not_make_a_second_vm(empty_house: Running) -> None:
    report = stopped_at(empty_house, empty_house.bootstrap, "proxmox.create-vm/cp-1", kind=StepNoted)
    assert report.exit_code == EXIT_INTERRUPTED
    assert empty_house.apply(empty_house.bootstrap).converged
    assert sorted(empty_house.home.proxmox.vms) == [8001, 8002, 8003, 8004]


@pytest.mark.parametrize("verb", ["pin", "restore", "prove", "release"])
def test_a_signal_in_the_middle_of_a_restore_and_the_next_run_proves_the_same_data(held_house: Running, verb: str) -> None:
    report = stopped_at(held_house, held_house.restore, f"recovery.{verb}/apps/notes")
    assert report.exit_code == EXIT_INTERRUPTED
    assert held_house.apply(held_house.restore).exit_code == EXIT_OK
    assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA


class TestTwoRunsAtOnce:
    def test_on_one_journal_the_second_is_told_who_is_at_work(self, empty_house: Running) -> None:
        with (
            open_journal(empty_house.folder, lineage=empty_house.house.id, run="the-first"),
            pytest.raises(JournalBusy) as busy,
        ):
            empty_house.apply(empty_house.bootstrap)
        assert "run the-first" in busy.value.evidence[0]
        assert empty_house.home.world.faults.reached == []
        assert empty_house.home.proxmox.vms == {}

    def test_on_another_machine_the_lease_keeps_it_from_changing_the_cluster(self, held_house: Running) -> None:
        first, lease = leased(held_house.home.act("first"), "one-machine", held_house.clock.workers())
        first.cluster.create_namespace("first")
        held_house.home.kube.objects().namespaces.discard("apps")
        with lease.held("what the first does"):  # it lives: it renews its Lease
            report = self.from_another_machine(held_house)
        assert report.exit_code == JournalBusy.exit_code
        assert "apps" not in held_house.home.kube.objects().namespaces
        lease.drop()
        assert self.from_another_machine(held_house).exit_code == EXIT_HELD

    def test_a_lease_that_nobody_renews_expires(self, held_house: Running) -> None:
        leased(held_house.home.act("first"), "one-machine", held_house.clock.workers())[0].cluster.create_namespace("first")
        held_house.home.kube.objects().namespaces.discard("apps")
        held_house.clock.sleep(61)
        assert self.from_another_machine(held_house).exit_code == EXIT_HELD

    def from_another_machine(self, house: Running) -> Report:
        """A run with a journal of its own."""
        house.runs += 1
        run, course = f"run-{house.runs}", house.bootstrap
        act, lease = leased(house.home.act(run), "another-machine", house.clock.workers())
        folder = house.folder.with_name("another-machine")
        with open_journal(folder, lineage=house.house.id, run=run, now=house.clock.now) as journal:
            report = executor.run(
                course.graph(), read_only(act), act, journal=journal, clock=house.clock, workers=house.clock.workers(),
                guards=course.guards,
            )  # fmt: skip
            lease.drop()
            return report


class TestTheJournalIsLost:
    def test_half_way_through_a_bootstrap_nothing_is_made_twice(self, empty_house: Running) -> None:
        stopped_at(empty_house, empty_house.bootstrap, "talos.bootstrap-etcd")
        (empty_house.folder / "journal").unlink()
        assert empty_house.apply(empty_house.bootstrap).exit_code == EXIT_HELD
        assert sorted(empty_house.home.proxmox.vms) == [8001, 8002, 8003, 8004]
        assert len(empty_house.home.talos.etcd.clusters) == 1

    @pytest.mark.parametrize("verb", ["restore", "prove", "populate", "release"])
    def test_half_way_through_a_restore_the_pin_stays(self, held_house: Running, verb: str) -> None:
        steps = ["pin", "restore", "prove", "populate", "release"]
        before = steps[: steps.index(verb)]
        course = only(held_house.restore, "preflight.", "hold.", *(f"recovery.{each}/" for each in before))
        assert held_house.apply(course).converged
        (first,) = held_house.home.look().hold.record().claims
        address = held_house.house.claims[0].mover_repository
        held_house.home.store.back_up(address, (a_file("poison", "x"),), held_house.clock.now())
        (held_house.folder / "journal").unlink()
        held_house.clock.sleep(60)  # it was made before any release, and is no first backup
        assert held_house.apply(held_house.restore).exit_code == EXIT_OK
        (entry,) = held_house.home.look().hold.record().claims
        assert (entry.repository_id, entry.snapshot_id, entry.pin) == (first.repository_id, first.snapshot_id, first.pin)
        assert held_house.home.kube.objects().claims[("apps", "notes")].entries == DATA


def test_a_house_with_another_id_never_adopts_our_vms(held_house: Running, tmp_path: Path) -> None:
    held_house.house = replace(held_house.house, id="another-id")
    held_house.folder = tmp_path / "another"
    report = held_house.apply(held_house.bootstrap)
    assert {step.id for step in report.root_causes} == {f"preflight.room/pve-{n}" for n in (1, 2, 3, 4)}
