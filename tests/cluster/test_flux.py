"""How far Flux is: only what waits for a held claim is excused, and only while it waits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.flux.results import KustomizationState
from cluster.flux import WAITING, flux_probe, graph_probe, held_apps, refused_apps, waits_on
from engine.probe import Condition, Probe
from house.values.databases import Database
from tests.builders import a_house, an_app
from tests.scenario.running import Running


def state(name: str, *needs: str, ready: bool = False, reason: str = "BuildFailed") -> KustomizationState:
    """One Kustomization in `apps`."""
    return KustomizationState("apps", name, ready, False, False, "c1", reason, f"{name} says so", needs)


def test_what_waits_for_a_root_is_found_however_far_away_and_through_a_circle() -> None:
    graph = (state("a", "apps/c"), state("b", "apps/a"), state("c", "apps/b"), state("d"))
    assert waits_on(graph, frozenset({"apps/a"})) == {"apps/a", "apps/b", "apps/c"}
    assert waits_on(graph, frozenset()) == set()


@pytest.fixture
def built(tmp_path: Path) -> Running:
    """A built house whose held application waits, and another one depends on it."""
    apps = (*a_house().flux_apps[:1], an_app("notes", "volsync-system/volsync", wait=True), an_app("reader", "apps/notes"))
    return Running.bootstrapped(tmp_path / "state", a_house(flux_apps=apps))


def seen(house: Running, key: str = "", **changes: object) -> Probe:
    """The probe, after one Kustomization was made to say something else."""
    states = house.home.kube.objects().kustomizations
    if key:
        states[key] = replace(states[key], **changes)  # type: ignore[arg-type]  # fields by name
    return flux_probe(house.home.look(), house.house)


def test_a_held_application_and_what_depends_on_it_are_excused_and_named(built: Running) -> None:
    assert held_apps(built.home.look(), built.house) == {"apps/notes"}
    answer = seen(built)
    assert answer.condition is Condition.SATISFIED
    assert answer.evidence == ("waits for a held claim: apps/notes", "waits for a held claim: apps/reader")


@pytest.mark.parametrize("reason", ["BuildFailed", "ArtifactFailed", "ReconciliationFailed", "PruneFailed", "SomethingNew"])
@pytest.mark.parametrize("key", ["apps/notes", "apps/reader"])
def test_a_failure_of_its_own_is_never_excused_by_a_hold(built: Running, key: str, reason: str) -> None:
    answer = seen(built, key, reason=reason, message="no")
    assert answer.condition is Condition.CHANGING
    assert f"{key}: {reason}: no" in answer.evidence


@pytest.mark.parametrize("reason", sorted(WAITING))
def test_to_wait_for_its_health_is_what_a_hold_does_to_it(built: Running, reason: str) -> None:
    assert seen(built, "apps/notes", reason=reason).condition is Condition.SATISFIED


def test_a_suspended_one_is_told_and_stops_nothing(built: Running) -> None:
    answer = seen(built, "volsync-system/volsync", suspended=True, ready=False)
    assert "suspended: volsync-system/volsync" in answer.evidence
    assert answer.detail == "0 Kustomizations at c0ffee000000, 2 wait for a held claim, 1 suspended"
    assert answer.condition is Condition.SATISFIED


def test_one_that_flux_does_not_know_yet_is_waited_for(built: Running) -> None:
    del built.home.kube.objects().kustomizations["apps/reader"]
    answer = seen(built)
    assert (answer.condition, answer.evidence) == (Condition.CHANGING, ("apps/reader",))


@pytest.fixture
def lost(tmp_path: Path) -> Running:
    """A built house one of whose Kustomizations has gone with its namespace; its parent, ready as before, would make it again."""
    apps = (*a_house().flux_apps[:1], an_app("stage"), an_app("reader", parent="apps/stage"), an_app("other", parent="apps/stage"))
    house = Running.bootstrapped(tmp_path / "state", a_house(flux_apps=apps))
    del house.home.kube.objects().kustomizations["apps/reader"]
    return house


def test_a_lost_one_whose_parent_is_done_is_missing_and_its_parent_is_named(lost: Running) -> None:
    answer = seen(lost)
    assert answer.condition is Condition.MISSING
    assert answer.detail == "1 Kustomization not there yet, and nobody is at it: apps/stage made them before"
    assert answer.evidence == ("apps/reader: not there; waits for its parent apps/stage",)


@pytest.mark.parametrize(
    "change",
    [
        {"ready": False, "reason": "Progressing"}, {"reconciling": True, "reason": "Progressing"}, {"commit": "0123"},
        {"suspended": True},
    ],
)
def test_a_parent_that_is_at_it_or_may_not_be_is_not_asked(lost: Running, change: dict[str, object]) -> None:
    answer = seen(lost, "apps/stage", **change)
    assert answer.condition is Condition.CHANGING
    line = next(line for line in answer.evidence if line.startswith("apps/reader"))
    assert line.endswith("which is suspended") == ("suspended" in change)


def test_a_lost_parent_s_own_parent_is_asked_and_each_child_tells_whom_it_waits_for(lost: Running) -> None:
    apps = (an_app("top"), an_app("stage", parent="apps/top"), an_app("reader", parent="apps/stage"))
    states = lost.home.kube.objects().kustomizations
    states["apps/top"] = replace(states["apps/other"], name="top")
    del states["apps/stage"]
    answer = graph_probe(lost.home.look().flux.state(), a_house(flux_apps=apps), frozenset())
    assert answer.condition is Condition.MISSING
    assert answer.evidence[-2:] == (
        "apps/reader: not there; waits for its parent apps/stage, which is not there either",
        "apps/stage: not there; waits for its parent apps/top",
    )


def test_a_lost_one_is_asked_for_at_its_parent_and_comes_back_within_seconds(lost: Running) -> None:
    before = lost.clock.monotonic()
    assert lost.apply(lost.bootstrap).converged
    assert lost.clock.monotonic() - before < 60.0
    assert lost.home.kube.objects().kustomizations["apps/reader"].ready


def test_a_lost_one_comes_back_though_the_source_is_suspended(lost: Running) -> None:
    lost.home.kube.objects().source_suspended = True
    assert lost.apply(lost.bootstrap).converged


def test_the_cause_is_told_with_what_helps_and_the_chain_behind_it_is_not(built: Running) -> None:
    states = built.home.kube.objects().kustomizations
    for key in ("apps/notes", "apps/reader"):
        states[key] = replace(states[key], reason="DependencyNotReady")
    no = 'secrets "sops-age" not found'
    answer = seen(built, "volsync-system/volsync", ready=False, reason="BuildFailed", message=no)
    assert answer.detail == "1 of 3 Kustomizations not ready"
    assert answer.evidence == (f"volsync-system/volsync: BuildFailed: {no}",)
    assert answer.hint == "put the age key into Secret sops-age"


def test_a_parent_that_fails_is_the_cause_of_what_is_not_there(built: Running) -> None:
    del built.home.kube.objects().kustomizations["apps/reader"]
    answer = seen(built, "volsync-system/volsync", ready=False, reason="BuildFailed", message="no such path")
    assert answer.detail == "1 of 2 Kustomizations not ready; 1 Kustomization not there yet"
    assert answer.evidence == ("volsync-system/volsync: BuildFailed: no such path", "apps/reader")


def test_one_that_is_ready_at_an_older_commit_is_not_done(built: Running) -> None:
    answer = seen(built, "volsync-system/volsync", commit="0123456789abcdef")
    assert answer.condition is Condition.CHANGING
    assert answer.evidence == ("volsync-system/volsync: Progressing: still at 0123456789ab",)


def test_the_release_of_a_held_application_is_no_cause_and_another_is(built: Running) -> None:
    objects = built.home.kube.objects()
    objects.kustomizations["volsync-system/volsync"] = replace(
        objects.kustomizations["volsync-system/volsync"], ready=False, reason="HealthCheckFailed", message="timeout"
    )
    state_now = built.home.look().flux.state()
    stuck = (state("notes", reason="InstallFailed"), state("other", reason="InstallFailed"))
    answer = graph_probe(replace(state_now, stuck_releases=stuck), built.house, frozenset({"apps/notes"}))
    assert answer.evidence == (
        "HelmRelease apps/other: InstallFailed: other says so",
        "volsync-system/volsync: HealthCheckFailed: timeout",
    )


def test_a_source_that_fails_since_is_told_though_everything_is_at_the_commit(built: Running) -> None:
    state_now = built.home.look().flux.state()
    source = replace(state_now.source, ready=False, reason="GitOperationFailed: status code: 503")
    answer = graph_probe(replace(state_now, source=source), built.house, frozenset({"apps/notes"}))
    assert answer.condition is Condition.SATISFIED
    assert answer.evidence[-1] == "the source fails since: GitOperationFailed: status code: 503"


@pytest.mark.parametrize("refused", ["pg", "pg2"])
def test_of_two_databases_of_one_application_either_may_be_the_one_that_the_hold_refuses(built: Running, refused: str) -> None:
    one = Database("apps", "pg", "apps/notes", archives=True, recovers=False, declared_in="x:1")
    databases = (one, replace(one, name="pg2"))
    house = a_house(flux_apps=built.house.flux_apps, databases=databases)
    states = built.home.kube.objects().kustomizations
    no = f"admission: database apps/{refused} archives and has no bootstrap.recovery: it would come up empty"
    states["apps/notes"] = replace(states["apps/notes"], ready=False, reason="ReconciliationFailed", message=no)
    found = built.home.look().flux.state()
    assert refused_apps(found, house, frozenset()) == {"apps/notes"}
    assert refused_apps(found, house, frozenset({f"apps/{refused}"})) == frozenset()
