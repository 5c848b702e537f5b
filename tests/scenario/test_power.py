"""The house switched off on purpose and on again: order, consent, what is left alone, and that all of it is as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from bootstrap.power import start_course, stop_course
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from engine.report import Report
from house.model import House
from lab.world.longhorn import VOLUME, healthy
from lab.world.pve_vm import PowerEvent
from lab.world.volumes import Source
from recovery.course import course as recovery_course
from tests.builders import a_claim, a_house, an_app
from tests.hands import see, step
from tests.scenario.running import Running

KEY = ("apps", "notes")
TWO = (a_claim("notes"), a_claim("web"))


def living(folder: Path, given: House | None = None) -> Running:
    """A house whose claims are restored and alive."""
    house = Running(folder / "state", given or a_house())
    house.backed_up()
    assert house.apply(house.bootstrap).converged
    assert house.apply(recovery_course(house.house, house.house.claims)).exit_code == EXIT_OK
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
    assert "apps/notes stop and cp-1" in see(alive, stop_course(alive.house), "preflight.switch-off").detail


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
