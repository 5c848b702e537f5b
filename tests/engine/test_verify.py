"""Verify looks at everything at once and tells findings from their consequences."""

from __future__ import annotations

import pytest

from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_STEP_FAILED, PermanentError, TransientError
from engine.graph import Graph
from engine.probe import Probe, changing, drifted, held, missing, satisfied, unknown
from engine.report import Outcome, Report
from engine.secrets import Secret
from engine.step import Severity
from engine.verify import verify
from tests.engine.toys import Bench, Shelf, a_check, a_step, answers


def verified(bench: Bench, *items: object) -> Report:
    graph: Graph[Shelf, Shelf] = Graph(items)  # type: ignore[arg-type]  # toys are steps and checks
    return verify(graph, bench.shelf, workers=bench.clock.workers(), clock=bench.clock)


def test_all_is_well(bench: Bench) -> None:
    report = verified(bench, a_step("a", looks=answers(satisfied())), a_check("c", answers(satisfied())))
    assert report.exit_code == 0 and report.verb == "verify" and not bench.folder.exists()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (missing("x"), EXIT_DRIFT),
        (drifted("x"), EXIT_DRIFT),
        (changing("x"), EXIT_DRIFT),
        (unknown("x"), EXIT_STEP_FAILED),
        (TransientError("x"), EXIT_STEP_FAILED),
        (PermanentError("x"), EXIT_STEP_FAILED),
        (held("x"), EXIT_HELD),
    ],
)
def test_what_is_not_satisfied_is_never_clean(bench: Bench, answer: Probe | Exception, code: int) -> None:
    assert verified(bench, a_step("a", looks=answers(answer))).exit_code == code


def test_only_the_finding_is_red_not_what_follows_from_it(bench: Bench) -> None:
    report = verified(
        bench,
        a_step("vm", looks=answers(missing("stopped"))),
        a_step("node", "vm", looks=answers(unknown("no answer"))),
        a_step("etcd", "node", looks=answers(satisfied())),
        a_step("app", "etcd", looks=answers(changing("restarting"))),
        a_step("config", "node", looks=answers(drifted("differs", "machine.network"))),
        a_step("other", looks=answers(satisfied())),
    )
    outcomes = {line.id.split("/")[1]: line.outcome for line in report.steps}
    assert [line.id for line in report.root_causes] == ["toy.put/vm", "toy.put/config"]
    assert outcomes["node"] is outcomes["app"] is Outcome.BLOCKED and outcomes["etcd"] is outcomes["other"] is Outcome.OK
    assert report["toy.put/app"].blocked_by == ("toy.put/vm",)


def test_an_advisory_check_only_warns(bench: Bench) -> None:
    report = verified(bench, a_check("old", answers(missing("old")), severity=Severity.ADVISORY))
    assert report.exit_code == 0 and len(report.warnings) == 1


def test_a_watched_check_that_differs_is_drift(bench: Bench) -> None:
    report = verified(bench, a_check("old", answers(drifted("old")), severity=Severity.WATCHED))
    assert report.exit_code == 3 and [line.id for line in report.root_causes] == ["toy.check/old"]


def test_slow_looks_happen_at_the_same_time(bench: Bench) -> None:
    def slow(shelf: Shelf) -> Probe:
        shelf.clock.sleep(1.0)
        return satisfied()

    report = verified(bench, *(a_step(str(n), *([str(n - 1)] if n else []), looks=slow) for n in range(64)))
    assert report.seconds == pytest.approx(64 / 16) and report.exit_code == 0


def test_errors_are_redacted(bench: Bench) -> None:
    word = Secret("hunter2-in-verify").reveal()
    report = verified(bench, a_step("a", looks=answers(PermanentError(f"403 for {word}", hint=word))))
    line = report["toy.put/a"]
    assert "hunter2" not in repr(report) and line.error is not None and "hunter2" not in f"{line.error}{line.error.hint}"
