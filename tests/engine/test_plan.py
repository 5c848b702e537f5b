"""Plans look once, wait for nothing, change nothing, and say what can only be known later."""

from __future__ import annotations

import time

import pytest

from engine.approval import Approval, ApprovedAct, approve
from engine.errors import ApprovalMissing, Interrupted, PermanentError, TransientError
from engine.graph import Graph
from engine.plan import Plan, Planned, plan
from engine.probe import Probe, changing, drifted, held, missing, satisfied, unknown
from engine.secrets import Secret
from engine.step import Hazard, Severity, StepId
from engine.text.ages import SKEW_S
from engine.workers import Threads, Workers
from tests.engine.toys import Bench, Shelf, Thing, a_check, a_step, answers


def planned(bench: Bench, *items: object, workers: Workers | None = None) -> Plan:
    return plan(Graph(items), bench.shelf, workers=workers)  # type: ignore[arg-type]  # toys are steps and checks


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (satisfied(), Planned.NOOP),
        (held("1"), Planned.NOOP),
        (missing("x"), Planned.CREATE),
        (drifted("x"), Planned.UPDATE),
        (changing("x"), Planned.WAIT),
        (unknown("x"), Planned.UNKNOWN),
        (TransientError("x"), Planned.UNKNOWN),
        (PermanentError("x"), Planned.REFUSED),
    ],
)
def test_each_answer_has_its_verdict(bench: Bench, answer: Probe | Exception, verdict: Planned) -> None:
    made = planned(bench, a_step("a", looks=answers(answer)))
    assert made["toy.put/a"].verdict is verdict and made.exit_code == (0 if verdict is Planned.NOOP else 2)
    assert bench.clock.monotonic() == 1000.0 and bench.shelf.done == [] and bench.shelf.looks == ["toy.put/a"]
    assert not bench.folder.exists(), "a plan writes nothing"


def test_what_needs_something_that_is_not_as_it_should_be_is_not_looked_at(bench: Bench) -> None:
    bench.shelf.things.update({"toy.put/a", "toy.put/c"})
    made = planned(bench, a_step("a"), a_step("b", "a"), a_step("c", "b"), a_step("d", "c", "a"), a_step("x", "a"))
    told = {line.id.split("/")[1]: (line.verdict, line.after) for line in made.lines}
    assert told["a"] == (Planned.NOOP, ()) and told["b"] == (Planned.CREATE, ())
    assert told["c"] == (Planned.KNOWN_AFTER, ("toy.put/b",)) and told["d"] == (Planned.KNOWN_AFTER, ("toy.put/c",))
    assert bench.shelf.looks == ["toy.put/a", "toy.put/b", "toy.put/x"]


def test_checks_refuse_or_warn(bench: Bench) -> None:
    made = planned(
        bench,
        a_check("no", answers(missing("no quorum"))),
        a_check("dark", answers(TransientError("no route"))),
        a_check("old", answers(PermanentError("old")), severity=Severity.ADVISORY),
        a_check("seen", answers(missing("seen")), severity=Severity.WATCHED),
        a_check("yes", answers(satisfied())),
    )
    verdicts = [line.verdict for line in made.lines]
    assert verdicts == [Planned.REFUSED, Planned.REFUSED, Planned.WARNING, Planned.WARNING, Planned.NOOP]


def test_a_plan_on_workers_is_the_same_plan(bench: Bench) -> None:
    bench.shelf.things.update(f"toy.put/{n}" for n in range(0, 60, 2))
    items = [a_step(str(n), *([str(n // 2)] if n else [])) for n in range(60)]
    alone = planned(bench, *items)
    assert planned(bench, *items, workers=bench.clock.workers()) == alone
    assert planned(bench, *items, workers=Threads()) == alone
    assert {line.verdict for line in alone.lines} == {Planned.NOOP, Planned.CREATE, Planned.KNOWN_AFTER}


@pytest.mark.parametrize("on_workers", [False, True])
def test_a_bug_in_a_look_is_raised(bench: Bench, on_workers: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        planned(bench, a_step("a", looks=answers(ZeroDivisionError())), a_step("b"), workers=Threads() if on_workers else None)


def test_the_digest_is_over_ids_verdicts_acts_and_inputs(bench: Bench) -> None:
    base = planned(bench, a_step("a"), a_step("b", "a")).digest
    assert planned(bench, a_step("a"), a_step("b", "a")).digest == base
    assert planned(bench, a_step("a", inputs="v2"), a_step("b", "a")).digest != base
    assert planned(bench, a_step("a", bad=Hazard.DESTROYS, named="x"), a_step("b", "a")).digest != base
    named = [planned(bench, a_step("a", bad=bad, named=name)).digest for bad in (Hazard.DISRUPTS, Hazard.DESTROYS) for name in "xy"]
    assert len(set(named)) == 4, "consent to one act is none to another thing, nor to a worse act"
    bench.shelf.things.add("toy.put/a")
    assert planned(bench, a_step("a"), a_step("b", "a")).digest != base


def test_acts_that_need_consent_are_in_the_plan(bench: Bench) -> None:
    bench.shelf.things.add("toy.put/done")
    made = planned(
        bench,
        a_step("a", bad=Hazard.DESTROYS, named="claim notes"),
        a_step("b", bad=Hazard.DISRUPTS, named="cp-1"),
        a_step("c", bad=Hazard.DISRUPTS, named=""),
        a_step("done", bad=Hazard.DESTROYS, named="claim old"),
        a_step("nameless", bad=Hazard.DESTROYS, named=""),
    )
    assert [(act.step, act.hazard, act.words) for act in made.acts] == [
        ("toy.put/a", "destroys", "claim notes"),
        ("toy.put/b", "disrupts", "cp-1"),
    ]
    assert made["toy.put/nameless"].verdict is Planned.REFUSED


def test_an_approval_is_given_to_the_plan_of_now_or_taken_from_the_journal(bench: Bench) -> None:
    acts = tuple(ApprovedAct.to(Thing(f"claim {name}"), StepId(f"toy.put/{name}"), Hazard.DESTROYS) for name in "ab")
    given = approve("d1", acts=acts, plan_digest="d1", journalled=(), now=100.0, valid_s=60.0)
    assert given == Approval("d1", frozenset(acts), 160.0) and Approval.from_text(given.to_text()) == given
    later = approve("d1", acts=acts[1:], plan_digest="d2", journalled=[given.to_text()], now=150.0, valid_s=60.0)
    assert later == given, "one act was done since: the digest of the plan changed, the consent did not"
    with pytest.raises(ApprovalMissing):  # given by a clock that was ahead: it would hold until then
        approve("d1", acts=acts, plan_digest="d2", journalled=[given.to_text()], now=100.0 - SKEW_S - 1, valid_s=60.0)
    for now, digest in ((161.0, "d1"), (150.0, "d3")):
        with pytest.raises(ApprovalMissing) as caught:
            approve(digest, acts=acts, plan_digest="d2", journalled=[given.to_text()], now=now, valid_s=60.0)
        assert caught.value.exit_code == 21


def test_ten_thousand_steps_are_planned_in_two_seconds(bench: Bench) -> None:
    def looks(shelf: Shelf) -> Probe:
        return satisfied()

    items = [a_step(str(n), *([str(n - 1), str(n // 2)] if n else []), looks=looks) for n in range(10_000)]
    start = time.process_time()
    made = planned(bench, *items)
    assert made.digest and not made.changes and len(made.lines) == 10_000
    assert time.process_time() - start < 2.0


def test_nothing_secret_is_in_a_plan(bench: Bench) -> None:
    word = Secret("hunter2-in-a-plan").reveal()
    error = PermanentError(f"403 for {word}", evidence=(word,), hint=word)
    made = planned(
        bench,
        a_step("a", inputs=word, looks=answers(error)),
        a_step("b", "a", inputs=word),
        a_check("c", answers(missing(word, word, hint=word))),
    )
    assert "hunter2" not in repr(made)


def test_a_plan_that_is_interrupted_ends(bench: Bench) -> None:
    with pytest.raises(Interrupted):
        planned(bench, a_step("a", looks=answers(Interrupted("stop"))))
