"""A house whose Talos secrets bundle is gone: never replaced in silence, and new ones only by a consent that says what is lost."""

from __future__ import annotations

import pytest

from bootstrap.new_secrets import course
from cluster.course import Course
from engine.plan import Planned
from engine.report import Outcome
from lab.world.pve.vm import PowerEvent
from tests.scenario.running import Running

STEP = "talos.make-secrets"


@pytest.fixture
def lost(empty_house: Running) -> Running:
    empty_house.home.files.bundle = ""
    return empty_house


def secrets(running: Running) -> Course:
    return course(running.house)


def test_a_bootstrap_refuses_and_names_the_way_out(lost: Running) -> None:
    report = lost.apply(lost.bootstrap)
    keys = report["preflight.keys"]
    assert keys.error is not None
    assert "is missing" in keys.detail
    assert "invoke cluster.new-secrets" in keys.error.hint
    assert (lost.home.proxmox.vms, lost.home.files.bundle) == ({}, "")


def test_the_plan_says_what_becomes_useless(lost: Running) -> None:
    (act,) = lost.plan(secrets(lost)).acts
    assert (act.step, act.hazard) == (STEP, "destroys")
    for word in ("etcd's data", "snapshots", "kubeconfig", "talosconfig", "machineconfigs"):
        assert word in act.words


def test_without_consent_nothing_is_made(lost: Running) -> None:
    report = lost.apply(secrets(lost))
    assert report.exit_code == 21
    assert lost.home.files.bundle == ""


def test_with_consent_they_are_made_once_and_then_want_to_be_committed(lost: Running) -> None:
    consent = lost.consent(secrets(lost))
    assert lost.apply(secrets(lost), consent)[STEP].outcome is Outcome.CHANGED
    again = lost.apply(secrets(lost), consent)
    assert (again.exit_code, again[STEP].outcome) == (0, Outcome.OK)
    assert lost.home.files.bundles_made == 1
    refused = lost.apply(lost.bootstrap)
    assert refused["preflight.keys"].outcome is Outcome.OK
    clone = refused["preflight.clone"]
    assert clone.outcome is Outcome.FAILED
    assert "talsecret" in " ".join((clone.detail, *clone.evidence))
    lost.home.files.dirty = ()
    assert lost.apply(lost.bootstrap).converged


def test_no_new_secrets_while_a_node_runs_with_those_of_before(held_house: Running) -> None:
    held_house.home.files.bundle = ""
    plan = held_house.plan(secrets(held_house))
    lines = {line.id: line for line in plan.lines}
    assert lines["preflight.unconfigured"].verdict is Planned.REFUSED
    assert "talhelper gensecret -f" in lines["preflight.unconfigured"].hint
    report = held_house.apply(secrets(held_house))
    assert report.exit_code == 20
    assert held_house.home.files.bundle == ""


def test_no_new_secrets_while_a_vm_runs_that_nobody_can_ask(held_house: Running) -> None:
    for node in held_house.house.nodes:
        with held_house.home.world.looking():
            held_house.home.talos.power_off(node.mac)  # it hangs: Proxmox calls the VM running
    held_house.home.files.bundle = ""
    seen = held_house.apply(secrets(held_house))["preflight.unconfigured"]
    assert seen.outcome is Outcome.FAILED
    assert "4 machines run and do not answer" in seen.detail
    assert held_house.home.files.bundle == ""


def test_nodes_that_are_off_are_what_the_consent_is_about(held_house: Running) -> None:
    with held_house.home.world.looking():
        for vm in held_house.home.proxmox.vms.values():
            held_house.home.proxmox.power(vm, PowerEvent.STOPPED)
    held_house.home.files.bundle = ""
    assert held_house.apply(secrets(held_house), held_house.consent(secrets(held_house)))[STEP].outcome is Outcome.CHANGED


def test_a_bundle_that_does_not_open_is_never_replaced(empty_house: Running) -> None:
    empty_house.home.files.bundle_problem = "no key opens it"
    report = empty_house.apply(secrets(empty_house))
    assert report[STEP].outcome is Outcome.FAILED
    assert "never replaced" in report[STEP].detail
    assert empty_house.home.files.bundles_made == 0
