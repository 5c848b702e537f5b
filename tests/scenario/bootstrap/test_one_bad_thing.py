"""One bad thing does not stop all: the rest is built and restored, the report says what was left out, a later run completes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from engine.errors import EXIT_HELD, EXIT_OK, EXIT_STEP_FAILED
from engine.report import Outcome, Report
from lab.world.pve.vm import PowerEvent
from lab.world.store import Trouble
from recovery.course import course as recovery_course
from tests.builders import a_claim, a_house, an_app
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import Running


@pytest.fixture
def two_claims(tmp_path: Path) -> Running:
    """Bare hosts, and two applications with a backup each."""
    apps = (*a_house().flux_apps, an_app("photos", "volsync-system/volsync"))
    house = Running(tmp_path / "state", a_house(claims=(a_claim(), a_claim("photos")), flux_apps=apps))
    house.backed_up()
    return house


@pytest.fixture
def built(held_house: Running) -> Running:
    """A house after its bootstrap, its claim restored."""
    assert held_house.apply(held_house.restore).exit_code == EXIT_OK
    return held_house


def lines(report: Report, outcome: Outcome) -> set[str]:
    """Ids of what ended so; advisory checks that said no are not among the failed."""
    return {step.id for step in report.steps if step.outcome is outcome and not step.advisory}


def running(house: Running) -> list[int]:
    """Ids of the VMs that are on."""
    return sorted(vm.vm_id for vm in house.home.proxmox.vms.values() if vm.running)


def restored(house: Running, *names: str) -> None:
    """Restore these applications' claims, and require that each is released."""
    claims = tuple(claim for claim in house.house.claims if claim.app in names)
    report = house.apply(recovery_course(house.house, claims))
    assert not report.root_causes, told(report)
    states = {entry.claim: entry.state for entry in house.home.look().hold.record().claims}
    assert all(states[name] is HoldState.RELEASED for name in names), states


class TestOneHostDead:
    @pytest.mark.parametrize(("host", "node", "vm_id"), [("pve-4", "w-1", 8004), ("pve-3", "cp-3", 8003), ("pve-1", "cp-1", 8001)])
    def test_of_bare_hosts(self, empty_house: Running, host: str, node: str, vm_id: int) -> None:
        """Also a control plane, also the one that etcd is bootstrapped on: nothing was ever made on the dead host."""
        empty_house.home.proxmox.host_down(host)
        report = empty_house.apply(empty_house.bootstrap)
        assert lines(report, Outcome.FAILED) == {f"preflight.host/{host}"}, told(report)
        assert report.exit_code == EXIT_STEP_FAILED
        assert report[f"talos.apply-config/{node}"].blocked_by == (f"preflight.host/{host}",)
        assert report["flux.reconcile"].done
        assert running(empty_house) == sorted({8001, 8002, 8003, 8004} - {vm_id})
        assert len(empty_house.home.talos.etcd.clusters) == 1
        restored(empty_house, "notes")
        empty_house.home.proxmox.host_up(host)
        assert empty_house.apply(empty_house.bootstrap).exit_code == EXIT_OK
        assert running(empty_house) == [8001, 8002, 8003, 8004]
        assert len(empty_house.home.talos.etcd.clusters) == 1
        assert empty_house.verify(empty_house.bootstrap).exit_code == EXIT_OK

    @pytest.mark.parametrize("host", ["pve-1", "pve-3"])
    def test_with_a_control_plane_of_before_nothing_new_is_made_of_etcd(self, built: Running, host: str) -> None:
        built.home.lose_every_vm()
        made = built.apply(built.bootstrap)
        assert made.exit_code == EXIT_HELD, told(made)
        built.home.proxmox.host_down(host)
        for vm_id in {8001, 8002, 8003} - {8000 + int(host[-1])}:
            vm = built.home.proxmox.vms[vm_id]
            built.home.proxmox.power(vm, PowerEvent.STOPPED)
            built.home.proxmox.remove(vm)
        before = len(built.home.talos.etcd.clusters)
        report = built.apply(built.bootstrap)
        assert report["talos.bootstrap-etcd"].outcome is Outcome.FAILED, "the dead one may have the only data"
        assert len(built.home.talos.etcd.clusters) == before

    def test_after_a_power_cut_all_that_can_start_is_started(self, built: Running) -> None:
        """No image factory, no chart server, no Git server, no age key, no store: none of them is asked to start a VM."""
        home = built.home
        home.proxmox.power_cut()
        for vm in home.proxmox.vms.values():
            vm.options["onboot"] = 0
        for host in ("pve-1", "pve-2", "pve-4"):
            home.proxmox.host_up(host)
        home.proxmox.images.down = True
        home.files.age_key_problem = "there is no such file"
        home.files.remote_problem = "could not resolve host"
        home.store.down = True
        home.unfetchable |= {release.key: "503 Service Unavailable" for release in built.house.releases}
        report = built.apply(built.bootstrap)
        assert running(built) == [8001, 8002, 8004], told(report)
        assert lines(report, Outcome.FAILED) == {
            "preflight.host/pve-3", "preflight.keys", "preflight.clone", "preflight.backup/apps/notes",
        }, told(report)  # fmt: skip


class TestOneRepositoryDamaged:
    @pytest.mark.parametrize("trouble", [Trouble.DAMAGED, Trouble.REFUSED, Trouble.UNREACHABLE, Trouble.FOREIGN])
    def test_its_claim_stays_held_and_the_rest_is_built_and_restored(self, two_claims: Running, trouble: Trouble) -> None:
        repository = two_claims.home.store.repositories[two_claims.house.claims[0].mover_repository]
        repository.trouble = trouble
        report = two_claims.apply(two_claims.bootstrap)
        assert lines(report, Outcome.FAILED) == {"preflight.backup/apps/notes"}, told(report)
        assert report.exit_code == EXIT_STEP_FAILED and not lines(report, Outcome.BLOCKED)
        assert report["flux.reconcile"].done
        restored(two_claims, "photos")
        states = {entry.claim: entry.state for entry in two_claims.home.look().hold.record().claims}
        assert states == {"notes": HoldState.HELD, "photos": HoldState.RELEASED}
        repository.trouble = None
        assert two_claims.apply(two_claims.bootstrap).exit_code == EXIT_HELD
        restored(two_claims, "notes")
        assert two_claims.apply(two_claims.bootstrap).exit_code == EXIT_OK

    def test_a_repository_at_a_misspelt_place(self, two_claims: Running) -> None:
        first, second = two_claims.house.claims
        wrong = replace(first, open_as=first.open_as.replace("notes", "nots"))
        two_claims.house = replace(two_claims.house, claims=(wrong, second))
        report = two_claims.apply(two_claims.bootstrap)
        assert lines(report, Outcome.FAILED) == {"preflight.backup/apps/notes"}, told(report)
        restored(two_claims, "photos")


class TestChartServersDown:
    def test_what_can_be_built_is_and_a_later_run_completes(self, empty_house: Running) -> None:
        empty_house.home.unfetchable |= {"flux-system/flux-instance": "503 Service Unavailable"}
        report = empty_house.apply(empty_house.bootstrap)
        assert lines(report, Outcome.FAILED) == {"helm.sync-release/flux-system/flux-instance"}, told(report)
        assert [line.id for line in report.warnings if "chart" in line.id] == ["preflight.chart/flux-system/flux-instance"]
        assert running(empty_house) == [8001, 8002, 8003, 8004]
        assert report["helm.sync-release/flux-system/flux-operator"].outcome is Outcome.CHANGED
        empty_house.home.unfetchable.clear()
        assert empty_house.apply(empty_house.bootstrap).exit_code == EXIT_HELD
        restored(empty_house, "notes")

    def test_a_cluster_whose_releases_are_deployed_asks_no_chart_server(self, built: Running) -> None:
        built.home.unfetchable |= {release.key: "503 Service Unavailable" for release in built.house.releases}
        report = built.apply(built.bootstrap)
        assert report.exit_code == EXIT_OK, told(report)
        assert len(report.warnings) >= len(built.house.releases)

    def test_a_chart_that_is_not_there_stops_everything_before_the_first_vm(self, empty_house: Running) -> None:
        empty_house.home.unfetchable |= {"kube-system/coredns": "404 Not Found"}
        report = empty_house.apply(empty_house.bootstrap)
        assert lines(report, Outcome.FAILED) == {"preflight.chart/kube-system/coredns"}, told(report)
        assert report.exit_code == 20 and not empty_house.home.proxmox.vms


class TestFactory:
    def test_without_checksums_a_pinned_image_is_enough(self, empty_house: Running) -> None:
        empty_house.home.proxmox.images.checksums = False
        report = empty_house.apply(empty_house.bootstrap)
        assert report.exit_code == EXIT_HELD, told(report)
        restored(empty_house, "notes")

    def test_down_with_the_image_on_every_host_it_stops_nothing(self, empty_house: Running) -> None:
        home = empty_house.home
        for host in home.proxmox.hosts:
            image = empty_house.house.image
            home.act("by-hand").proxmox.download_image(host, image.storage, image.filename, image.url, image.sha256)
        empty_house.clock.sleep(60)
        home.proxmox.images.down = True
        report = empty_house.apply(empty_house.bootstrap)
        assert report.exit_code == EXIT_HELD, told(report)


class TestOneHostsOwnTrouble:
    def test_a_wrong_clock_stops_its_own_vm_alone(self, empty_house: Running) -> None:
        empty_house.home.proxmox.hosts["pve-4"].skew = 300.0
        report = empty_house.apply(empty_house.bootstrap)
        assert lines(report, Outcome.FAILED) == {"preflight.clock/pve-4"}, told(report)
        assert running(empty_house) == [8001, 8002, 8003]

    def test_too_little_memory_stops_its_own_vm_alone(self, empty_house: Running) -> None:
        empty_house.home.proxmox.hosts["pve-1"].memory = 4 << 30
        report = empty_house.apply(empty_house.bootstrap)
        assert lines(report, Outcome.FAILED) == {"preflight.room/pve-1"}, told(report)
        assert running(empty_house) == [8002, 8003, 8004]
        assert report["talos.bootstrap-etcd"].outcome is Outcome.BLOCKED, "its own control plane may come any time"

    def test_how_much_memory_is_free_is_an_estimate_that_a_person_may_overrule(self, empty_house: Running) -> None:
        empty_house.home.proxmox.hosts["pve-4"].memory = 4 << 30
        (act,) = empty_house.plan(empty_house.bootstrap).acts
        assert act.step == "preflight.room/pve-4"
        assert act.words.startswith("w-1 may not start on pve-4, or fill its storage: memory:")
        assert "zfs_arc_max" in empty_house.plan(empty_house.bootstrap)["preflight.room/pve-4"].hint
        empty_house.apply(empty_house.bootstrap, empty_house.consent(empty_house.bootstrap))
        assert 8004 in empty_house.home.proxmox.vms, "it was made by consent"
