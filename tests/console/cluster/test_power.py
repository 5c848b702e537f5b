"""cluster.stop and cluster.start: a plan without consent, the act with it, and the way back, in words and in JSON."""

from __future__ import annotations

import pytest

from console.verbs.cluster import power
from engine import errors
from lab.troubles.ceph import CEPH_TROUBLES
from lab.world.cluster.ceph import LabCeph
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line


@pytest.fixture
def alive_desk(held_desk: Desk) -> Desk:
    """A desk whose one claim is restored and alive."""
    running = held_desk.running
    assert running.apply(running.restore).exit_code == errors.EXIT_OK
    return held_desk


def test_without_consent_it_is_a_plan_that_names_what_goes_off(alive_desk: Desk, capsys: Printed) -> None:
    assert power.stop_of(alive_desk.session("cluster.stop"), "") != errors.EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("apps/notes stops and cp-1, cp-2, cp-3, w-1 go off") == 1, "what is risked is said once"
    digest = out.partition("--approve ")[2].split()[0]
    assert f"Next: invoke cluster.stop --approve {digest}" in out
    assert not alive_desk.running.home.kube.objects().resting


def test_it_goes_off_by_consent_and_says_the_way_back(alive_desk: Desk, capsys: Printed) -> None:
    vms = alive_desk.running.home.proxmox.vms.values()
    power.stop_of(alive_desk.session("cluster.stop", json=True), "")
    assert power.stop_of(alive_desk.session("cluster.stop"), last_line(capsys)["plan"]) == errors.EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    assert "4 nodes off, hosts and NAS on. invoke cluster.start brings all of it back as it was" in out
    assert "warning" not in out, "that the Lease stays in an etcd that is off is no trouble"
    assert not any(vm.running for vm in vms)


@pytest.mark.parametrize(("silent", "told"), [(False, "The hosts run a Ceph"), (True, "The hosts may run a Ceph")])
def test_who_takes_the_hosts_off_too_is_told_what_their_ceph_has_to_be_told(
    silent: bool, told: str, alive_desk: Desk, capsys: Printed
) -> None:
    home = alive_desk.running.home
    home.proxmox.ceph = LabCeph.on(home.proxmox.hosts)
    power.stop_of(alive_desk.session("cluster.stop", json=True), "")
    plan = last_line(capsys)["plan"]
    if silent:
        CEPH_TROUBLES["ceph-silent"].begin(home.proxmox.ceph)
    power.stop_of(alive_desk.session("cluster.stop"), plan)
    out = " ".join(capsys.readouterr().out.split())
    assert f"{told} of their own: before they go off too, on one of them: ceph osd set noout; ceph osd set norebalance;" in out
    assert "when all are on again: ceph osd unset noout; ceph osd unset norebalance." in out


def test_a_start_waits_for_no_application_whose_claim_is_held(held_desk: Desk, capsys: Printed) -> None:
    session = held_desk.session("cluster.start")
    session.clock = held_desk.time  # type: ignore[assignment]  # the modelled house's
    assert power.start_of(session) == errors.EXIT_HELD
    out = " ".join(capsys.readouterr().out.split())
    assert "held: it waits for its restore, or its release" in out and "Next: invoke dr.hold" in out


def test_a_start_of_a_house_that_is_on_changes_nothing(alive_desk: Desk, capsys: Printed) -> None:
    assert power.start_of(alive_desk.session("cluster.start", json=True)) == errors.EXIT_OK
    told = last_line(capsys)
    assert told["outcome"] == "done" and not told["counts"].get("changed")


class TestHosts:
    def test_the_plan_names_each_host_and_the_act_says_who_brings_them_back(self, desk: Desk, capsys: Printed) -> None:
        power.stop_of(desk.session("cluster.stop", json=True), "", hosts=True)
        told = last_line(capsys)
        row = next(line for line in told["lines"] if line["id"] == "preflight.host-off/pve-1")
        assert "pve-1 goes off: only its own button or a host that is on brings it back" in str(row)
        assert power.stop_of(desk.session("cluster.stop"), told["plan"], hosts=True) == errors.EXIT_OK
        out = " ".join(capsys.readouterr().out.split())
        assert desk.running.home.proxmox.online == ()
        assert "4 nodes off, and 4 hosts: only its own button or a host that is on brings it back. With the first on again" in out
        assert "invoke cluster.start --hosts wakes or waits for the others" in out and "warning" not in out

    def test_a_proxmox_that_does_not_answer_is_told_to_do_nothing(self, desk: Desk) -> None:
        desk.running.home.proxmox.power_cut()
        with pytest.raises(errors.TransientError, match="no Proxmox endpoint"):
            power.stop_of(desk.session("cluster.stop"), "", hosts=True)
