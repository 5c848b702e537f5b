"""Whole bootstraps of the modelled house: from bare hosts to held claims, and what stops one before it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.hold.results import HoldState
from cluster.course import HouseStep
from engine.errors import EXIT_HELD
from engine.plan import Planned
from engine.probe import Condition
from engine.report import Outcome, Report
from tests.scenario.running import DATA, Running


def told(report: Report) -> str:
    """What to print when a report is not as expected."""
    return "\n".join(f"{s.outcome.value} {s.id} {s.detail} {s.evidence} {s.error}" for s in report.steps)


def test_plan_changes_nothing_then_apply_converges_then_plan_is_all_noop(empty_house: Running) -> None:
    first = empty_house.plan(empty_house.bootstrap)
    assert first["preflight.quorum"].verdict is Planned.NOOP
    assert first["proxmox.create-vm/cp-1"].verdict is Planned.KNOWN_AFTER
    assert first["proxmox.fetch-image/pve-1"].verdict is Planned.CREATE
    report = empty_house.apply(empty_house.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    second = empty_house.plan(empty_house.bootstrap)
    assert {line.verdict for line in second.lines} == {Planned.NOOP}, second.changes
    assert empty_house.verify(empty_house.bootstrap).exit_code == EXIT_HELD


def test_a_second_bootstrap_does_nothing(held_house: Running) -> None:
    happened = len(held_house.home.world.happenings)
    report = held_house.apply(held_house.bootstrap)
    assert {step.outcome for step in report.steps} <= {Outcome.OK, Outcome.HELD}
    assert [h for h in held_house.home.world.happenings[happened:] if h.system in ("proxmox", "talos", "helm")] == []


def test_after_a_bootstrap_the_claim_is_held_and_its_backup_untouched(held_house: Running) -> None:
    held_house.clock.sleep(3600)
    record = held_house.home.look().hold.record()
    assert [(c.key, c.state) for c in record.claims] == [("apps/notes", HoldState.HELD)]
    (repository,) = held_house.home.store.repositories.values()
    assert [snapshot.entries for snapshot in repository.snapshots] == [DATA]


def test_without_the_hold_the_same_cluster_poisons_its_own_backup(empty_house: Running) -> None:
    course = empty_house.bootstrap
    unheld = replace(course, steps=tuple(s for s in course.steps if not s.id.startswith("hold.")))
    unheld = replace(unheld, steps=tuple(_without_hold(s) for s in unheld.steps))
    claim = empty_house.house.claims[0]
    # The store is away while the restore runs, and back when the backup does: the worst case that is known.
    empty_house.home.store.repositories[claim.mover_repository + ".away"] = empty_house.home.store.repositories.pop(
        claim.mover_repository
    )
    unheld = replace(unheld, checks=tuple(c for c in unheld.checks if not c.id.startswith(("preflight.backup", "hold."))))
    empty_house.apply(unheld)
    empty_house.clock.sleep(600)
    repository = empty_house.home.store.repositories[claim.mover_repository]
    assert [e.path for s in repository.snapshots for e in s.entries] == ["settings.ini"]


def _without_hold(step: HouseStep) -> HouseStep:
    from bootstrap.steps.sync_release import SyncRelease

    class Unheld(SyncRelease):
        @property
        def needs(self) -> tuple[str, ...]:
            return tuple(need for need in super().needs if not need.startswith("hold."))

    return Unheld(step.house, step.release) if isinstance(step, SyncRelease) else step


class TestRefusedBeforeAnythingIsMade:
    def refused(self, house: Running, check: str) -> Report:
        """Apply, and require that this check alone stopped it and that nothing was made."""
        report = house.apply(house.bootstrap)
        assert [step.id for step in report.root_causes] == [check], told(report)
        assert house.home.proxmox.vms == {}
        assert house.home.world.faults.reached == []
        return report

    def test_no_quorum(self, empty_house: Running) -> None:
        for name in ("pve-3", "pve-4"):
            empty_house.home.proxmox.host_down(name)
        report = self.refused(empty_house, "preflight.quorum")
        assert "offline: pve-3, pve-4" in report["preflight.quorum"].evidence

    def test_a_proxmox_that_nobody_can_ask_is_one_problem(self, empty_house: Running) -> None:
        for name in empty_house.home.proxmox.hosts:
            empty_house.home.proxmox.host_down(name)
        report = self.refused(empty_house, "preflight.privileges")
        assert "no Proxmox endpoint can be reached" in str(report["preflight.privileges"].error)

    def test_a_token_without_any_privilege_is_told_all_of_them_at_once(self, empty_house: Running) -> None:
        token = empty_house.home.proxmox.access.tokens[empty_house.house.proxmox.token_id]
        token.rights = {"/": frozenset()}
        report = self.refused(empty_house, "preflight.privileges")
        lacking = report["preflight.privileges"].evidence
        assert {"/: Sys.Audit", "/vms/8001: VM.Allocate", "/storage/local: Datastore.AllocateTemplate"} <= set(lacking)

    def test_a_changed_image(self, empty_house: Running) -> None:
        empty_house.home.proxmox.images.withdraw("/none")
        empty_house.house = replace(empty_house.house, image=replace(empty_house.house.image, sha256="0" * 64))
        self.refused(empty_house, "preflight.image")

    def test_a_bundle_that_does_not_open(self, empty_house: Running) -> None:
        empty_house.home.files.bundle_problem = "no key opens it"
        self.refused(empty_house, "preflight.keys")

    def test_a_patch_that_talos_refuses(self, empty_house: Running) -> None:
        empty_house.home.files.render_problem = "static hostname is already set in v1alpha1 config"
        report = self.refused(empty_house, "preflight.machineconfigs")
        assert "static hostname" in str(report["preflight.machineconfigs"].error)

    def test_somebody_elses_vm_at_our_id(self, empty_house: Running) -> None:
        pytest.importorskip("lab.world.pve.vm")
        _foreign_vm(empty_house)
        report = empty_house.apply(empty_house.bootstrap)
        assert report["preflight.room/pve-1"].outcome is Outcome.FAILED
        assert "not ours" in str(report["preflight.room/pve-1"].error)


def _foreign_vm(house: Running) -> None:
    from lab.world.pve.vm import LabVm

    house.home.proxmox.vms[8001] = LabVm(8001, "pve-1", {"name": "somebody", "cores": 1, "memory": 512}, {}, {})


class Heard:
    """A port, and which of its methods were asked for."""

    def __init__(self, door: Any) -> None:
        self._door, self.asked = door, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._door, name)


def test_a_node_that_runs_its_machineconfig_is_not_asked_for_its_name(empty_house: Running) -> None:
    """Each question is a start of talosctl for each node, in every plan and every verify."""
    empty_house.apply(empty_house.bootstrap)
    look = empty_house.home.look()
    talos: Any = Heard(look.talos)
    step = next(one for one in empty_house.bootstrap.steps if one.id == "talos.apply-config/cp-2")
    assert step.probe(replace(look, talos=talos)).condition is Condition.SATISFIED
    assert talos.asked == ["phase", "machine", "applied_digest"]
