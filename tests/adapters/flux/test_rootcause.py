"""Root causes out of hand-made graphs."""

from __future__ import annotations

from typing import Any

from adapters.flux.results import FluxState, KustomizationState, SourceState
from adapters.flux.rootcause import Cause, root_causes

GOOD = SourceState("flux-system/flux-system", True, True, "c1", "")


def ks(
    name: str, *depends_on: str, ready: bool = False, reason: str = "DependencyNotReady", **more: Any
) -> KustomizationState:
    values: dict[str, Any] = {"suspended": False, "reconciling": False, "message": ""} | more
    return KustomizationState(
        namespace="ns",
        name=name,
        ready=ready,
        commit="",
        reason=reason,
        depends_on=tuple(f"ns/{d}" for d in depends_on),
        **values,
    )


def told(
    *graph: KustomizationState, source: SourceState = GOOD, releases: tuple[KustomizationState, ...] = ()
) -> list[tuple[str, str]]:
    causes = root_causes(FluxState(True, source, graph, releases))
    return [(c.cause.name, c.key) for c in causes]


def test_nothing_is_the_matter_with_a_graph_that_is_ready() -> None:
    assert told(ks("a", ready=True, reason="ReconciliationSucceeded")) == []


def test_only_the_one_that_fails_is_told_and_not_the_chain_behind_it() -> None:
    fails = ks("a", reason="BuildFailed", message='secrets "sops-age" not found')
    assert told(fails, ks("b", "a"), ks("c", "b"), ks("d", "c", "a")) == [("FAILS", "ns/a")]
    (cause,) = root_causes(FluxState(True, GOOD, (fails, ks("b", "a"))))
    assert cause.hint == "put the age key into Secret sops-age"


def test_two_that_fail_by_themselves_are_two_causes() -> None:
    assert told(ks("a", reason="BuildFailed"), ks("b", reason="HealthCheckFailed"), ks("c", "a", "b")) == [
        ("FAILS", "ns/a"),
        ("FAILS", "ns/b"),
    ]


def test_one_that_fails_by_itself_is_told_although_it_depends_on_a_stuck_one() -> None:
    assert told(ks("a", reason="Progressing"), ks("b", "a", reason="BuildFailed")) == [
        ("FAILS", "ns/b"),
        ("RUNS", "ns/a"),
    ]


def test_an_absent_dependency_is_the_cause() -> None:
    assert told(ks("b", "gone"), ks("c", "b")) == [("ABSENT", "ns/gone")]


def test_a_suspended_dependency_that_never_was_ready_is_the_cause() -> None:
    assert told(ks("a", suspended=True, reason=""), ks("b", "a")) == [("SUSPENDED", "ns/a")]


def test_a_circle_is_told_once() -> None:
    assert told(ks("a", "c"), ks("b", "a"), ks("c", "b"), ks("d", "a")) == [("CYCLE", "ns/a")]
    (cause,) = root_causes(FluxState(True, GOOD, (ks("a", "b"), ks("b", "a"))))
    assert cause.message == "ns/a -> ns/b -> ns/a"


def test_a_failing_source_comes_before_what_it_holds_up() -> None:
    bad = SourceState("flux-system/flux-system", True, False, "", "GitOperationFailed: authentication required")
    assert told(ks("a", reason="ArtifactFailed"), source=bad) == [
        ("SOURCE", "flux-system/flux-system"),
        ("FAILS", "ns/a"),
    ]


def test_a_failing_source_is_told_even_while_the_old_artifact_keeps_everything_ready() -> None:
    bad = SourceState("flux-system/flux-system", True, False, "c1", "GitOperationFailed: status code: 503")
    assert told(ks("a", ready=True), source=bad) == [("SOURCE", "flux-system/flux-system")]


def test_a_stalled_release_comes_first() -> None:
    stalled = ks("r", reason="RetriesExceeded", stalled=True)
    waiting = ks("s", reason="DependencyNotReady")
    assert told(ks("a", reason="HealthCheckFailed"), releases=(stalled, waiting)) == [
        ("STALLED", "HelmRelease ns/r"),
        ("FAILS", "ns/a"),
    ]


def test_causes_are_ordered_as_they_are_declared() -> None:
    assert [c.name for c in Cause][:2] == ["STALLED", "SOURCE"]
