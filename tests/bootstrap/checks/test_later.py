"""The checks that say yes only as the cluster comes up: API servers, nodes, the guard of etcd, and what is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from engine.errors import EXIT_DRIFT, EXIT_HELD
from engine.probe import Condition, Probe
from engine.running.survey import look_once
from engine.step import Severity
from lab.world.pve.vm import PowerEvent
from tests.hands import item, see
from tests.scenario.running import Running


class TestApiServers:
    CHECK = "kubernetes.api-servers"

    def test_each_is_asked_at_its_own_address_and_a_late_one_is_waited_for(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        built.home.kube.api_down.add("127.10.0.13")
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.evidence) == (Condition.CHANGING, ("127.10.0.13: connection refused",))

    def test_none_is_not_all(self, bare: Running) -> None:
        assert see(bare, bare.bootstrap, self.CHECK).condition is Condition.CHANGING


class TestNodeClocks:
    CHECK = "talos.clock/cp-2"

    def test_a_clock_that_is_ahead_is_told_and_stops_nothing(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        built.home.talos.at("127.10.0.12").clock_offset = 3600.0
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail) == (Condition.DRIFTED, "its clock is +3600 s from this machine's")
        assert item(built.bootstrap, self.CHECK).severity is Severity.ADVISORY

    def test_a_node_that_is_off_has_told_no_time(self, built: Running) -> None:
        built.home.proxmox.host_down("pve-2")
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.UNKNOWN


class TestNodeVersions:
    CHECK = "talos.version/cp-2"

    def test_an_old_talos_is_drift_with_what_upgrades_it_and_stops_no_run(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        disk = built.home.talos.at("127.10.0.12").talos_disk
        assert disk is not None
        disk.version = "v1.12.4"
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail) == (Condition.DRIFTED, "cp-2 runs Talos v1.12.4, talconfig.yaml wants v1.13.9")
        folder = built.house.cluster.talconfig.parent
        assert seen.hint.endswith(
            f"(cd {folder} && talhelper gencommand upgrade --offline-mode --config-file talconfig.yaml --node cp-2)"
        )
        report = built.verify(built.bootstrap)
        assert [step.id for step in report.root_causes] == [self.CHECK]
        assert report.exit_code == EXIT_DRIFT
        assert built.apply(built.bootstrap).exit_code == EXIT_HELD
        assert disk.version == "v1.12.4"

    def test_a_node_that_is_off_has_told_no_version(self, built: Running) -> None:
        built.home.proxmox.host_down("pve-2")
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.UNKNOWN


class TestNodes:
    CHECK = "kubernetes.nodes"

    def test_without_the_cni_every_node_says_why(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        del built.home.kube.objects().releases[("kube-system", "cilium")]
        seen = see(built, built.bootstrap, self.CHECK)
        assert seen.condition is Condition.CHANGING
        assert "w-1: cni plugin not initialized" in seen.evidence

    def test_a_node_that_has_not_joined_is_named(self, built: Running) -> None:
        built.home.proxmox.power(built.home.proxmox.vms[8004], PowerEvent.STOPPED)
        (late,) = see(built, built.bootstrap, self.CHECK).evidence
        assert late.startswith("w-1: ")

    def test_one_whose_host_is_off_is_excused_by_name(self, built: Running) -> None:
        built.home.proxmox.host_down("pve-4")
        assert see(built, built.bootstrap, self.CHECK).detail == "3 nodes ready; without w-1, whose host is offline"


class TestHeldClaims:
    CHECK = "hold.claims"

    def test_it_stops_nothing_and_makes_the_run_end_as_held(self, built: Running) -> None:
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.held, seen.evidence) == (Condition.SATISFIED, True, ("apps/notes",))
        check = item(built.bootstrap, self.CHECK)
        assert getattr(check, "severity") is Severity.ADVISORY  # noqa: B009 - only a check has one

    def test_a_released_claim_is_not_held(self, built: Running) -> None:
        record = built.home.kube.objects().record
        assert record is not None
        for key, entry in record.items():
            record[key] = replace(entry, state=HoldState.RELEASED)
        assert not see(built, built.bootstrap, self.CHECK).held


class TestSuspensions:
    CHECK = "flux.suspensions"

    def suspend(self, house: Running, key: str, **changes: object) -> Probe:
        table = house.home.kube.objects().kustomizations
        table[key] = replace(table[key], suspended=True, **changes)  # type: ignore[arg-type]  # fields by name
        return see(house, house.bootstrap, self.CHECK)

    def test_one_that_git_does_not_suspend_is_drift_by_its_name_and_stops_no_run(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        seen = self.suspend(built, "volsync-system/volsync")
        assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("kustomization volsync-system/volsync",))
        assert "kubectl -n volsync-system patch kustomizations.kustomize.toolkit.fluxcd.io volsync " in seen.hint
        report = built.verify(built.bootstrap)
        assert [step.id for step in report.root_causes] == [self.CHECK]
        assert report.exit_code == EXIT_DRIFT
        report = built.apply(built.bootstrap)
        assert report.exit_code == EXIT_HELD
        assert [step.id for step in report.warnings] == [self.CHECK]
        assert built.home.kube.objects().kustomizations["volsync-system/volsync"].suspended

    def test_one_that_git_suspends_is_as_it_should_be(self, built: Running) -> None:
        apps = tuple(replace(app, suspended=app.name == "volsync") for app in built.house.flux_apps)
        built.house = replace(built.house, flux_apps=apps)
        assert self.suspend(built, "volsync-system/volsync").condition is Condition.SATISFIED

    def test_one_that_our_restore_suspended_is_excused_as_long_as_the_record_knows_of_it(self, built: Running) -> None:
        assert self.suspend(built, "apps/notes", ours=True).condition is Condition.SATISFIED
        record = built.home.kube.objects().record
        assert record is not None
        record[("apps", "notes")] = replace(record[("apps", "notes")], state=HoldState.RELEASED)
        seen = see(built, built.bootstrap, self.CHECK)
        assert seen.evidence == ("kustomization apps/notes, by a restore that is over",)

    def test_a_held_application_that_somebody_else_suspended_is_not_excused(self, built: Running) -> None:
        assert self.suspend(built, "apps/notes").evidence == ("kustomization apps/notes",)

    def test_the_source_counts_too_and_what_only_others_declare_does_not(self, built: Running) -> None:
        objects = built.home.kube.objects()
        objects.kustomizations["other/theirs"] = replace(objects.kustomizations["apps/notes"], namespace="other", name="theirs")
        objects.source_suspended = True
        assert self.suspend(built, "other/theirs").evidence == ("gitrepository flux-system/flux-system",)


class TestDestinations:
    CHECK = "backup.destinations"

    def test_one_that_somebody_else_has_turned_is_drift_with_what_turns_it_back(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).detail == "none is turned"
        found = built.home.kube.objects().destinations[("apps", "notes-bootstrap")]
        found.secret = "theirs"
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.evidence) == (
            Condition.DRIFTED, ("apps/notes-bootstrap: theirs, in Git notes-volsync-secret",),
        )  # fmt: skip
        assert "kubectl -n apps patch replicationdestination notes-bootstrap --type=merge" in seen.hint
        assert [step.id for step in built.verify(built.bootstrap).root_causes] == [self.CHECK]

    def test_one_that_flux_has_not_made_yet_is_counted_and_no_drift(self, built: Running) -> None:
        built.home.kube.objects().destinations.clear()
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "none is turned; 1 of 1 not there (yet)")


class TestSchedules:
    CHECK = "backup.schedules"

    @pytest.mark.parametrize(
        ("trigger", "begins"), [("blackstart-17", "invoke dr.restore ends"), ("by-hand", "kubectl -n apps patch")]
    )
    def test_one_that_a_manual_trigger_keeps_off_is_drift_with_what_gives_it_back(
        self, built: Running, trigger: str, begins: str
    ) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        source = built.home.kube.objects().sources[("apps", "notes")]
        source.manual = source.last_manual = trigger
        seen = see(built, built.bootstrap, self.CHECK)
        assert (seen.condition, seen.evidence) == (Condition.DRIFTED, (f"apps/notes: {trigger}",))
        assert seen.hint.startswith(begins)
        assert """kubectl -n apps patch replicationsource notes --type=json -p '[{"op":"remove",""" in seen.hint
        assert [step.id for step in built.verify(built.bootstrap).root_causes] == [self.CHECK]
        assert [step.id for step in built.apply(built.bootstrap).warnings] == [self.CHECK]
        assert source.manual == trigger, "a run leaves it as it is"

    def test_a_backup_that_was_asked_for_and_has_not_ended_is_no_drift(self, built: Running) -> None:
        built.home.kube.objects().sources[("apps", "notes")].manual = "by-hand"
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED

    def test_a_source_without_a_schedule_has_none_to_keep_off(self, built: Running) -> None:
        source = built.home.kube.objects().sources[("apps", "notes")]
        source.schedule, source.manual, source.last_manual = "", "by-git", "by-git"
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED

    def test_a_source_that_is_not_there_is_told(self, built: Running) -> None:
        built.home.kube.objects().sources.clear()
        assert see(built, built.bootstrap, self.CHECK).detail == "none; 1 of 1 source not there (yet)"


class TestTheGuardOfTheNodes:
    def test_no_etcd_is_nothing_to_lose_and_a_lost_voter_is_a_no(self, bare: Running) -> None:
        guard = bare.bootstrap.guards["talos"]
        assert look_once(guard, bare.home.look()).condition is Condition.UNKNOWN
        bare.apply(bare.bootstrap)
        assert look_once(guard, bare.home.look()).condition is Condition.SATISFIED
        bare.home.talos.etcd.stop(bare.home.talos.at("127.10.0.12"))
        assert look_once(guard, bare.home.look()).condition is Condition.CHANGING


class TestOldHolds:
    CHECK = "hold.age"

    def test_a_hold_of_hours_is_none_of_its_business_and_one_of_days_is_told_with_its_age(self, built: Running) -> None:
        assert see(built, built.bootstrap, self.CHECK).condition is Condition.SATISFIED
        built.clock.sleep(50 * 3600)
        seen = see(built, built.bootstrap, self.CHECK)
        assert seen.condition is Condition.DRIFTED
        assert seen.evidence == ("apps/notes: 2.1 days",)
        assert "dr.restore" in seen.hint
        report = built.verify(built.bootstrap)
        assert [step.id for step in report.root_causes] == [self.CHECK]
        assert report.exit_code == EXIT_DRIFT

    def test_one_that_nobody_knows_the_beginning_of_is_old(self, built: Running) -> None:
        record = built.home.kube.objects().record
        assert record is not None
        for key, entry in record.items():
            record[key] = replace(entry, since=0.0)
        assert see(built, built.bootstrap, self.CHECK).evidence == ("apps/notes: nobody knows since when",)


def test_a_hold_is_not_in_place_while_an_api_server_cannot_be_asked(built: Running) -> None:
    assert see(built, built.bootstrap, "hold.install").condition is Condition.SATISFIED
    built.home.kube.api_down.add("127.10.0.13")
    seen = see(built, built.bootstrap, "hold.install")
    assert seen.condition is Condition.UNKNOWN
    assert "cannot be asked" in seen.detail


@pytest.mark.parametrize(("name", "told"), [
    ("hold.install", "2 API servers refuse what the hold must refuse; 1 is off with its host"),
    ("kubernetes.api-servers", "2 ready, v1.36.3; without cp-3, whose host is offline"),
    ("talos.bootstrap-etcd", "2 healthy members of one etcd; without cp-3, whose host is offline"),
])  # fmt: skip
def test_a_control_plane_whose_host_is_off_is_excused_by_name(built: Running, name: str, told: str) -> None:
    built.home.proxmox.host_down("pve-3")
    seen = see(built, built.bootstrap, name)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, told)


def test_without_quorum_of_proxmox_nobody_is_excused(built: Running) -> None:
    for host in ("pve-3", "pve-4"):
        built.home.proxmox.host_down(host)
    assert see(built, built.bootstrap, "kubernetes.api-servers").condition is Condition.CHANGING
