"""flux.reconcile: every Kustomization ready at the checked commit, those aside that wait for a held claim."""

from __future__ import annotations

from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "flux.reconcile"


def test_an_older_commit_asks_for_a_fetch_and_then_takes_its_time(built: Running) -> None:
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    built.home.kube.git_commit = "c0ffee0000000000000000000000000000000002"
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    built.clock.sleep(2)
    assert see(built, built.bootstrap, STEP).condition is Condition.CHANGING
    built.clock.sleep(20)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_without_flux_or_before_its_first_fetch_it_is_waited_for(built: Running) -> None:
    built.home.kube.objects().flux_commit = ""
    assert see(built, built.bootstrap, STEP).condition is Condition.CHANGING
    built.home.kube.objects().flux_running = False
    assert see(built, built.bootstrap, STEP).condition is Condition.CHANGING


def test_a_suspended_source_that_is_behind_fails_at_once_and_says_how_it_goes_on(built: Running) -> None:
    built.home.kube.objects().source_suspended = True
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    built.home.kube.git_commit = "c0ffee0000000000000000000000000000000002"
    seen, before = see(built, built.bootstrap, STEP), built.clock.monotonic()
    assert seen.condition is Condition.MISSING
    assert seen.detail.endswith(", and its source is suspended")
    report = built.apply(built.bootstrap)
    error = report[STEP].error
    assert error is not None
    assert error.what == "GitRepository flux-system/flux-system is suspended, not by us, and stays so"
    assert error.next_command.startswith("kubectl -n flux-system patch gitrepository flux-system --type merge")
    assert "flux -n flux-system resume source git flux-system" in error.hint
    assert built.clock.monotonic() - before < 60.0
    assert built.home.kube.objects().source_suspended


def test_a_source_that_was_suspended_before_its_first_fetch_is_not_waited_for(built: Running) -> None:
    built.home.kube.objects().flux_commit = ""
    built.home.kube.objects().source_suspended = True
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN
