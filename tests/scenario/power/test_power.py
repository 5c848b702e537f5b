"""The house switched off on purpose and on again: order, consent, what is left alone, and that all of it is as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.archives.results import RecoveryPoint
from adapters.hold.results import HoldState, PinnedDatabase
from bootstrap.power import start_course, stop_course
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from engine.report import Outcome, Report
from house.model import House
from lab.world.cluster.databases import HEALTHY
from lab.world.cluster.longhorn import VOLUME, healthy
from lab.world.cluster.rook import LabRook
from lab.world.cluster.volumes import Source
from lab.world.pve.vm import PowerEvent
from recovery.course import course as recovery_course
from tests.builders import a_claim, a_house, an_app
from tests.databases import KEY as DATABASE
from tests.databases import OLD, a_database, a_house_with, an_archive
from tests.hands import see, step
from tests.scenario.running import Running

KEY = ("apps", "notes")
REST, WAKE = "stop.database/apps/pg", "start.database/apps/pg"
TWO = (a_claim("notes"), a_claim("web"))


def living(folder: Path, given: House | None = None) -> Running:
    """A house whose claims are restored and alive."""
    house = Running.restored(folder / "state", given)
    house.clock.sleep(60)
    return house


@pytest.fixture
def alive(tmp_path: Path) -> Running:
    return living(tmp_path)


def stopped(house: Running) -> Report:
    course = stop_course(house.house)
    return house.apply(course, house.consent(course))


def on(house: Running) -> list[int]:
    return sorted(vm.vm_id for vm in house.home.proxmox.vms.values() if vm.running)


def test_it_goes_off_in_order_and_comes_back_as_it_was(alive: Running) -> None:
    objects, before = alive.home.kube.objects(), len(alive.home.world.happenings)
    assert stopped(alive).exit_code == EXIT_OK
    assert on(alive) == []
    off = [h.what for h in alive.home.world.happenings[before:] if h.what.endswith(" stopped")]
    assert off[0] == "VM 8004 stopped", "the worker first"
    assert (objects.resting, objects.kustomizations["apps/notes"].ours) == ({KEY}, True)
    assert not alive.plan(stop_course(alive.house)).changes
    alive.clock.sleep(86400)
    report = alive.apply(start_course(alive.house))
    assert report.exit_code == EXIT_OK, report.root_causes
    assert len(on(alive)) == 4
    assert not objects.resting and not objects.kustomizations["apps/notes"].suspended
    assert objects.claims[KEY].app_ready
    assert not alive.plan(start_course(alive.house)).changes


def test_without_consent_nothing_stops(alive: Running) -> None:
    report = alive.apply(stop_course(alive.house))
    assert not report.converged and len(on(alive)) == 4
    assert not alive.home.kube.objects().resting
    assert "apps/notes stops and cp-1" in see(alive, stop_course(alive.house), "preflight.switch-off").detail


def test_whoever_waits_for_another_one_stops_first_and_starts_last(tmp_path: Path) -> None:
    house = living(tmp_path, a_house(claims=TWO, flux_apps=(an_app("notes"), an_app("web", "apps/notes"))))
    assert step(stop_course(house.house), "stop.app/apps/notes").needs[-1] == "stop.app/apps/web"
    assert step(start_course(house.house), "start.app/apps/web").needs[-1] == "start.app/apps/notes"


def test_what_somebody_else_suspended_stays_so_and_a_held_claim_is_its_restores(alive: Running) -> None:
    objects = alive.home.kube.objects()
    objects.kustomizations["apps/notes"] = replace(objects.kustomizations["apps/notes"], suspended=True)
    assert stopped(alive).exit_code == EXIT_OK
    assert alive.apply(start_course(alive.house)).exit_code == EXIT_OK
    now = objects.kustomizations["apps/notes"]
    assert now.suspended and not now.ours and objects.claims[KEY].app_ready
    assert objects.record is not None
    objects.record[KEY] = replace(objects.record[KEY], state=HoldState.HELD)
    assert "held" in see(alive, stop_course(alive.house), "stop.app/apps/notes").detail
    objects.resting.add(KEY)
    assert see(alive, start_course(alive.house), "start.app/apps/notes").condition is Condition.SATISFIED


def test_a_node_that_is_silent_is_never_cut_off(alive: Running) -> None:
    alive.home.talos.power_off("bc:24:11:00:00:04")  # its VM runs on
    seen = see(alive, stop_course(alive.house), "stop.nodes/workers")
    assert seen.condition is Condition.CHANGING and "w-1 runs, and answers no more" in seen.detail
    assert "qm shutdown" in seen.hint


def test_a_vm_that_ha_would_start_again_is_refused_before_anything_stops(alive: Running) -> None:
    alive.home.proxmox.vms[8001].ha = "started"
    with pytest.raises(PermanentError, match="HA of Proxmox would start vm:8001 again"):
        see(alive, stop_course(alive.house), "preflight.switch-off")


def test_volumes_that_are_attached_still_are_waited_for_or_told(alive: Running) -> None:
    objects = alive.home.kube.objects()

    objects.longhorn = replace(healthy(), volumes=(replace(VOLUME, claim="apps/notes", state="attached"),))
    assert see(alive, stop_course(alive.house), "stop.volumes").condition is Condition.CHANGING
    objects.longhorn = replace(objects.longhorn, volumes=(replace(VOLUME, claim="apps/other", state="attached"),))
    assert "1 volume of what is not stopped here: apps/other" in see(alive, stop_course(alive.house), "stop.volumes").detail


def test_a_mover_at_work_is_waited_for(alive: Running) -> None:
    alive.home.kube.objects().sources[KEY].running = True
    seen = see(alive, stop_course(alive.house), "stop.movers")
    assert seen.condition is Condition.CHANGING and seen.evidence == ("ReplicationSource apps/notes",)


def test_a_mover_of_the_other_engine_is_waited_for_too(alive: Running) -> None:
    wiki = replace(a_claim("wiki"), engine="kopia", identity="wiki@apps:/data")
    alive.house = replace(alive.house, kopia=(wiki,))
    assert see(alive, stop_course(alive.house), "stop.movers").condition is Condition.SATISFIED
    alive.home.kube.objects().sources[("apps", "wiki")] = Source("apps", "wiki", "wiki", wiki.mover_repository, running=True)
    assert see(alive, stop_course(alive.house), "stop.movers").evidence == ("ReplicationSource apps/wiki",)


def test_with_the_control_planes_off_already_the_rest_goes_off(alive: Running) -> None:
    for vm_id in (8001, 8002):
        alive.home.proxmox.power(alive.home.proxmox.vms[vm_id], PowerEvent.STOPPED)
    alive.clock.sleep(60)
    assert "cannot be scaled any more" in see(alive, stop_course(alive.house), "stop.app/apps/notes").detail
    assert stopped(alive).exit_code == EXIT_OK and on(alive) == []


class TestDatabase:
    """A database ends in order before its nodes do: no pod of it is killed with one."""

    @pytest.fixture
    def house(self, tmp_path: Path) -> Running:
        """Alive, with a database that Flux has made again from its archive."""
        made = Running(tmp_path / "state", a_house_with(a_database(recovers=True)))
        made.home.store.databases[OLD] = an_archive(made.clock.now())
        made.backed_up()
        assert made.apply(made.bootstrap).converged
        assert made.apply(recovery_course(made.house, made.house.claims)).exit_code == EXIT_OK
        made.clock.sleep(60)
        return made

    def test_it_hibernates_after_the_applications_and_runs_before_them(self, house: Running) -> None:
        assert "apps/notes, database apps/pg stop and cp-1" in see(house, stop_course(house.house), "preflight.switch-off").detail
        graph, back = stop_course(house.house).graph(), start_course(house.house).graph()
        assert "if-any:stop.app/*" in step(stop_course(house.house), REST).needs
        assert {REST} <= set(graph.needs("stop.nodes/workers")) and {WAKE} <= set(back.needs("start.app/apps/notes"))
        objects = house.home.kube.objects()
        assert stopped(house).exit_code == EXIT_OK
        assert objects.clusters[DATABASE].asleep
        assert house.apply(start_course(house.house)).exit_code == EXIT_OK
        database = house.home.kube.objects().clusters[DATABASE]
        assert (database.asleep, database.to_sleep, database.rows) == (False, False, ("row-1", "row-2", "row-3"))

    def test_what_somebody_else_hibernated_stays_so(self, house: Running) -> None:
        database = house.home.kube.objects().clusters[DATABASE]
        database.to_sleep = database.asleep = True
        assert stopped(house).exit_code == EXIT_OK
        assert house.apply(start_course(house.house)).exit_code == EXIT_OK
        assert (database.asleep, database.to_sleep) == (True, True)

    def test_one_that_is_not_healthy_or_made_again_is_left_alone(self, house: Running) -> None:
        database = house.home.kube.objects().clusters[DATABASE]
        database.phase = "Cluster in trouble"
        seen = see(house, stop_course(house.house), REST)
        assert seen.condition is Condition.SATISFIED and "Cluster in trouble" in seen.detail
        database.phase = HEALTHY
        point = RecoveryPoint("base", "7", 1, 1, "seg", 0.0)
        house.home.act("x").hold.put_database(PinnedDatabase(*DATABASE, "place", point))
        assert "left to its restore" in see(house, stop_course(house.house), REST).detail

    def test_its_pods_are_waited_for(self, house: Running) -> None:
        house.home.act("x").databases.rest(*DATABASE)
        assert see(house, stop_course(house.house), REST).condition is Condition.CHANGING
        house.clock.sleep(60)
        assert see(house, stop_course(house.house), REST).condition is Condition.SATISFIED


class TestCeph:
    """Rook's OSDs go off on purpose: nothing of it is taken for a loss, and afterwards nothing of ours is left."""

    HOLD, LET, ASKED = "stop.ceph", "start.ceph", "preflight.ceph-flags"

    @pytest.fixture
    def rook(self, alive: Running) -> LabRook:
        rook = LabRook.healthy(alive.clock.now())
        alive.home.kube.objects().rook.append(rook)
        return rook

    def test_flags_are_set_before_the_first_node_and_gone_after_the_last(self, alive: Running, rook: LabRook) -> None:
        assert {self.HOLD} <= set(stop_course(alive.house).graph().needs("stop.nodes/workers"))
        assert stopped(alive).exit_code == EXIT_OK
        assert rook.flags == rook.marked == {"noout", "norebalance"}
        report = alive.apply(start_course(alive.house))
        assert report.exit_code == EXIT_OK, report.root_causes
        assert not rook.flags and not rook.marked
        assert not alive.plan(start_course(alive.house)).changes

    def test_what_somebody_else_has_set_stays_and_is_told(self, alive: Running, rook: LabRook) -> None:
        rook.flags |= {"noout", "nodown"}
        assert stopped(alive).exit_code == EXIT_OK
        assert rook.marked == {"norebalance"}
        report = alive.apply(start_course(alive.house))
        assert report[self.LET].detail == "rook-ceph/rook-ceph: nodown, noout set by somebody else, and stays", report
        assert rook.flags == {"noout", "nodown"}

    @pytest.mark.parametrize("why", ["no toolbox", "no answer"])
    def test_one_that_cannot_be_asked_is_a_warning_before_the_stop_and_keeps_no_house_on(
        self, alive: Running, rook: LabRook, why: str
    ) -> None:
        asked = see(alive, stop_course(alive.house), self.ASKED)
        assert (asked.condition, asked.detail) == (Condition.SATISFIED, "each answers")
        rook.tools, rook.silent = why != "no toolbox", why == "no answer"
        seen = see(alive, stop_course(alive.house), self.ASKED)
        assert seen.condition is Condition.UNKNOWN and "goes off without noout and norebalance" in seen.detail
        report = stopped(alive)
        assert (report.exit_code, report[self.ASKED].outcome) == (EXIT_OK, Outcome.FAILED)
        assert report[self.HOLD].detail.startswith("nobody knows of rook-ceph/rook-ceph, which goes off as it is")

    def test_while_nobody_can_ask_after_a_start_our_flags_are_unknown_and_never_gone(self, alive: Running, rook: LabRook) -> None:
        assert stopped(alive).exit_code == EXIT_OK
        rook.silent = True
        report = alive.apply(start_course(alive.house))
        assert report[self.LET].outcome is Outcome.FAILED and report.exit_code == 30
        assert alive.home.kube.objects().claims[KEY].app_ready, "no application waits for it"
        rook.silent = False
        assert alive.apply(start_course(alive.house)).exit_code == EXIT_OK
        assert not rook.flags

    def test_a_mark_without_its_flag_is_an_act_that_was_cut_off(self, alive: Running, rook: LabRook) -> None:
        rook.marked |= {"noout", "norebalance"}
        assert see(alive, stop_course(alive.house), self.HOLD).condition is Condition.MISSING
        assert see(alive, start_course(alive.house), self.LET).condition is Condition.MISSING

    def test_one_that_rook_only_knows_is_not_the_houses(self, alive: Running, rook: LabRook) -> None:
        rook.cluster = replace(rook.cluster, external=True)
        assert stopped(alive).exit_code == EXIT_OK
        assert not rook.flags
