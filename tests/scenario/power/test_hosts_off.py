"""The hosts too: off after the nodes, in order and by consent, with what only they would end; and on again, woken or waited for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from adapters.ports import ProxmoxView
from adapters.proxmox.results import PowerState, ProxmoxCluster, Vm
from bootstrap.checks.power.hosts_off import HostOff
from bootstrap.power import start_course, stop_course
from cluster.course import Course
from cluster.machines.parting import Parting, parting
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from engine.report import Outcome, Report
from engine.step import StepId
from house.model import House
from lab.world.cluster.ceph import LabCeph
from lab.world.nas import LabUser, sample_nas
from lab.world.pve.access import PRIVILEGES
from lab.world.pve.vm import LabVm
from tests.copied import copied
from tests.hands import do, only, see
from tests.scenario.faults.test_nas import a_nas_house
from tests.scenario.running import Running

HOSTS = ("pve-1", "pve-2", "pve-3", "pve-4")


@pytest.fixture
def dark(tmp_path: Path) -> Running:
    """A house whose nodes are off, with a NAS in VM 105 on pve-2; hosts that a packet wakes."""
    made = Running(tmp_path / "state", a_nas_house())
    furnished(made)
    return made


def furnished(made: Running) -> None:
    made.home.plug_nas(sample_nas(made.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")
    for host in made.home.proxmox.hosts.values():
        host.wake_mac = "02:00:00:00:00:01"


def going(house: Running) -> Parting:
    return parting(house.home.look(), house.house)


def stopping(house: Running) -> Course:
    return stop_course(house.house, going(house))


def stopped(house: Running) -> Report:
    course = stopping(house)
    return house.apply(course, house.consent(course))


def happened(house: Running) -> list[str]:
    return [one.what for one in house.home.world.happenings if one.what.startswith(("host ", "VM 105 "))]


def guest(house: Running, host: str = "pve-3", **changes: object) -> LabVm:
    """Somebody else's VM, which runs there."""
    made = replace(LabVm(200, host, {"name": "dns"}, {}, {}, running=True), **changes)
    house.home.proxmox.vms[200] = made
    return made


@dataclass(frozen=True)
class Moving:
    """A Proxmox whose list has the VMs, while a configuration of none can be had: as it is for one that moves."""

    there: ProxmoxView

    def vms(self) -> tuple[Vm, ...]:
        return tuple(replace(vm, readable=False, power=PowerState.OTHER) for vm in self.there.vms())

    def cluster(self) -> ProxmoxCluster:
        return self.there.cluster()


def test_the_whole_house_goes_off_with_its_hosts_and_comes_back_as_it_was(tmp_path: Path) -> None:
    house = copied(_alive, tmp_path / "state")
    objects = house.home.kube.objects()
    assert stopped(house).exit_code == EXIT_OK
    assert house.home.proxmox.online == ()
    assert happened(house)[-6:] == [
        "host pve-3 off", "host pve-4 off", "VM 105 stopped", "host pve-2 off", "host pve-1 off",
    ][-6:]  # fmt: skip
    house.clock.sleep(86400)
    house.home.world.after(600, "a hand", lambda: house.home.proxmox.host_up("pve-1"))
    report = house.apply(start_course(house.house, hosts=True))
    assert report.exit_code == EXIT_OK, report.root_causes
    assert house.home.proxmox.online == HOSTS and all(vm.running for vm in house.home.proxmox.vms.values())
    assert not objects.resting and objects.claims[("apps", "notes")].app_ready
    assert not house.plan(start_course(house.house, hosts=True)).changes


def _alive(folder: Path) -> Running:
    given: House = a_nas_house()
    made = Running(folder, replace(given, claims=given.claims[:1], flux_apps=given.flux_apps[:-1]))
    furnished(made)
    made.backed_up()
    for course in (made.bootstrap, made.restore):
        assert made.apply(course).converged
    made.clock.sleep(60)
    return made


class TestConsent:
    def test_each_host_and_the_nas_are_consented_to_by_name_and_nothing_stops_without(self, dark: Running) -> None:
        report = dark.apply(stopping(dark))
        asked = {step.id for step in report.steps if step.outcome is Outcome.FAILED}
        assert asked == {*(f"preflight.host-off/{host}" for host in HOSTS), "preflight.nas-off/nas"}
        assert dark.home.proxmox.online == HOSTS and dark.home.proxmox.vms[105].running
        risk = see(dark, stopping(dark), "preflight.nas-off/nas").identity
        assert str(risk) == "NAS nas (VM 105) is shut down: nothing that is on it is there for anybody"

    def test_a_nas_of_which_nobody_tells_whether_it_runs_is_no_nas_that_is_off(self, dark: Running) -> None:
        look = dark.home.look()
        (check,) = (one for one in stopping(dark).checks if one.id == "preflight.nas-off/nas")
        seen = check.probe(replace(look, proxmox=cast("ProxmoxView", Moving(look.proxmox))))
        assert seen.condition is Condition.UNKNOWN and "VM 105 on pve-2 cannot be read" in seen.detail

    def test_guests_of_others_are_named_with_the_host_that_ends_them(self, dark: Running) -> None:
        guest(dark)
        seen = see(dark, stopping(dark), "preflight.host-off/pve-3")
        assert seen.identity == HostOff("pve-3", ("200 dns",)) and seen.detail == "it is on, with 200 dns on it"
        assert str(seen.identity).startswith("pve-3 goes off, and ends 200 dns with it: only its own button or a host that is on")

    def test_one_that_starts_after_the_consent_is_not_in_it(self, dark: Running) -> None:
        course = stopping(dark)
        given = dark.consent(course)
        guest(dark)
        report = dark.apply(stopping(dark), given)
        assert report["preflight.host-off/pve-3"].outcome is Outcome.FAILED
        assert dark.home.proxmox.online == HOSTS

    def test_a_clone_of_a_node_is_a_guest_of_others(self, dark: Running) -> None:
        token = dark.house.owner_token(dark.house.nodes[0])
        guest(dark, options={"name": "copy", "description": token})
        assert see(dark, stopping(dark), "preflight.host-off/pve-3").identity == HostOff("pve-3", ("200 copy",))

    def test_what_is_at_work_on_a_host_is_told(self, dark: Running) -> None:
        dark.home.proxmox.tasks.start("pve-3", "vzdump", "200", "root@pam", 600.0, lambda task: None)
        assert see(dark, stopping(dark), "preflight.host-off/pve-3").evidence == ("at work there: vzdump 200",)

    def test_one_that_is_off_ends_with_no_host(self, dark: Running) -> None:
        guest(dark, running=False)
        assert see(dark, stopping(dark), "preflight.host-off/pve-3").identity == HostOff("pve-3", ())

    @pytest.mark.parametrize(("path", "lacks", "row"), [
        ("/nodes", "Sys.PowerMgmt", "preflight.host-off/pve-1"), ("/vms", "VM.Audit", "preflight.host-off/pve-1"),
        ("/vms", "VM.PowerMgmt", "preflight.nas-off/nas"),
    ])  # fmt: skip
    def test_what_the_token_may_not_no_consent_passes(self, path: str, lacks: str, row: str, dark: Running) -> None:
        course = stopping(dark)
        dark.home.proxmox.access.tokens[dark.house.proxmox.token_id].rights[path] = PRIVILEGES - {lacks}
        if lacks == "VM.Audit":
            course = stop_course(dark.house, Parting(("pve-2", "pve-3", "pve-4"), (), "pve-1"))
        seen = see(dark, course, row)
        assert seen.condition is Condition.MISSING and seen.identity is None
        assert lacks in " ".join(seen.evidence) and lacks in seen.hint
        assert ("Sys.AccessNetwork" if path == "/nodes" else "VM.Allocate") in seen.hint, "and takes away nothing that a run needs"

    def test_what_ha_watches_is_refused(self, dark: Running) -> None:
        guest(dark, ha="started")
        with pytest.raises(PermanentError, match="HA of Proxmox watches vm:200 on pve-3"):
            see(dark, stopping(dark), "preflight.host-off/pve-3")

    def test_a_ceph_of_the_hosts_that_was_not_told_is_a_risk_of_its_own(self, dark: Running) -> None:
        assert see(dark, stopping(dark), "preflight.hosts-ceph").detail == "the hosts have none"
        dark.home.proxmox.ceph = LabCeph.on(dark.home.proxmox.hosts)
        seen = see(dark, stopping(dark), "preflight.hosts-ceph")
        assert seen.condition is Condition.MISSING and "was not told to wait: OSDs that are off" in str(seen.identity)
        assert "ceph osd set noout; ceph osd set norebalance" in seen.hint


class TestOrder:
    def test_the_nas_goes_off_before_its_host_and_the_host_that_is_asked_last(self, dark: Running) -> None:
        assert going(dark) == Parting(("pve-3", "pve-4"), ("pve-2",), "pve-1")
        assert stopped(dark).exit_code == EXIT_OK
        off = happened(dark)
        assert off.index("host pve-3 off") < off.index("VM 105 stopped") < off.index("host pve-2 off") < off.index("host pve-1 off")
        assert off[-1] == "host pve-1 off"

    def test_on_the_host_that_is_asked_it_goes_off_at_the_very_end_too(self, dark: Running) -> None:
        dark.home.proxmox.vms[105].host = "pve-1"
        assert going(dark) == Parting(("pve-2", "pve-3", "pve-4"), (), "pve-1")
        assert stopped(dark).exit_code == EXIT_OK
        assert happened(dark)[-2:] == ["VM 105 stopped", "host pve-1 off"]

    def test_a_silence_of_before_it_was_asked_says_nothing_of_the_last_one(self, dark: Running) -> None:
        course = stopping(dark)
        dark.home.proxmox.power_cut()  # or the cable to all of them
        seen = see(dark, course, "stop.host/pve-1")
        assert seen.condition is Condition.UNKNOWN and "pve-1 was not asked to go off yet: it may be on" in seen.detail

    def test_a_nas_that_does_not_follow_keeps_its_host_on(self, dark: Running) -> None:
        course = stopping(dark)
        given = dark.consent(course)
        dark.home.proxmox.hears = lambda vm: vm.vm_id != 105
        report = dark.apply(course, given)
        assert report["stop.nas/nas"].outcome is Outcome.FAILED
        assert dark.home.proxmox.online == ("pve-1", "pve-2") and dark.home.proxmox.vms[105].running


class TestCutOff:
    def test_without_a_majority_left_the_same_goes_on_by_the_same_consent(self, dark: Running) -> None:
        course = stopping(dark)
        given = dark.consent(course)
        for host in ("pve-3", "pve-4"):
            dark.home.proxmox.host_down(host)
        assert going(dark).resumed and not dark.home.proxmox.quorate
        again = stopping(dark)
        assert not [one.id for one in again.steps if not one.id.startswith(("stop.host/", "stop.nas/"))]
        assert dark.apply(again, given).exit_code == EXIT_OK
        assert dark.home.proxmox.online == ()

    def test_a_host_that_is_only_cut_off_still_has_its_node_and_nothing_is_switched(self, tmp_path: Path) -> None:
        house = Running.bootstrapped(tmp_path / "state")
        asked = going(house)
        host = house.home.proxmox.hosts["pve-2"]
        host.online = False  # the others do not see it; its VM runs, and its Talos answers
        assert not going(house).resumed
        seen = see(house, stop_course(house.house, replace(asked, resumed=True)), "stop.host/pve-3")
        assert seen.condition is Condition.UNKNOWN and "cp-2" in seen.detail and "lose its power" in seen.detail


class TestOn:
    def on(self, house: Running) -> Report:
        return house.apply(only(start_course(house.house, hosts=True), "start.hosts"))

    def test_who_is_awake_already_is_left_alone(self, dark: Running) -> None:
        assert see(dark, start_course(dark.house, hosts=True), "start.hosts").detail == "on: pve-1, pve-2, pve-3, pve-4"

    def test_while_none_answers_a_hand_is_waited_for_in_words(self, dark: Running) -> None:
        dark.home.proxmox.power_cut()
        seen = see(dark, start_course(dark.house, hosts=True), "start.hosts")
        assert seen.condition is Condition.CHANGING
        assert "waiting for the first one (pve-1, pve-2, pve-3, pve-4), which only a hand switches on" in seen.detail

    def test_one_that_nobody_told_proxmox_the_mac_of_is_waited_for_and_named(self, dark: Running) -> None:
        dark.home.proxmox.hosts["pve-4"].wake_mac = ""
        for host in ("pve-3", "pve-4"):
            dark.home.proxmox.host_down(host)
        report = self.on(dark)
        assert report["start.hosts"].outcome is Outcome.FAILED
        error = report["start.hosts"].error
        assert error is not None and "out of sight of pve-1: pve-4; who does not come up by being woken wants a hand" in error.what
        told = do(dark, start_course(dark.house, hosts=True), "start.hosts").written["warning"]
        assert told.startswith("pve-4 is switched on by hand: ") and "No wake on LAN MAC address defined for 'pve-4'" in told
        assert dark.home.proxmox.online == ("pve-1", "pve-2", "pve-3")
        dark.home.world.after(30, "a hand", lambda: dark.home.proxmox.host_up("pve-4"))
        assert self.on(dark).exit_code == EXIT_OK

    def test_nothing_else_is_looked_at_before_they_are_on(self, dark: Running) -> None:
        graph = start_course(dark.house, hosts=True).graph()
        for name in ("preflight.privileges", "nas.may-start/nas", "proxmox.lift-reservation"):
            assert "start.hosts" in graph.needs(StepId(name))
