"""Objectives, budgets and forecasts: what a drill measures is held against what was expected, and nothing is left out unsaid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from engine.limits import Limits
from house.model import Limits as HouseLimits
from house.values.rehearsing import Objective, Objectives, Rehearsal
from recovery.steps.claims.restore_image import RESTORES
from rehearsal.beginning import outcome_of
from rehearsal.choosing import Budget, Candidate, choose, egress_of
from rehearsal.course import course as drill_course
from rehearsal.drill import Drill, resumed
from rehearsal.measuring import forecast_of, held, measured, remarks, told
from rehearsal.outcome import ClaimOutcome, Control, DrillOutcome, DrillVerdict, Forecast, from_json
from rehearsal.past import past_of
from tests.builders import a_claim
from tests.crash.apart import Built
from tests.house.reading import load
from tests.house.settings.test_afterwards import with_more
from tests.rehearsal.stage import DrilledHouse

GOOD = ClaimOutcome("apps/notes", DrillVerdict.PASS, rpo_seconds=7200.0, rto_seconds=300.0)
BAD = replace(GOOD, verdict=DrillVerdict.FAIL, reason="missing: a", rto_seconds=900.0)


@pytest.mark.parametrize(
    ("objective", "missed"),
    [
        (Objective(), ()), (Objective(rto=300.0, rpo=7200.0), ()),
        (Objective(rto=299.0), ("RTO missed: back in 5 min, and 5 min were allowed",)),
        (Objective(rpo=3600.0), ("RPO missed: its data are 2.0 h old, and 60 min were allowed",)),
        (Objective(rto=60.0, rpo=60.0), (
            "RTO missed: back in 5 min, and 60 s were allowed", "RPO missed: its data are 2.0 h old, and 60 s were allowed",
        )),
    ],
)  # fmt: skip
def test_a_missed_objective_is_a_warning_or_a_fail_as_they_say(objective: Objective, missed: tuple[str, ...]) -> None:
    warned = measured(GOOD, objective, None)
    assert (warned.verdict, warned.missed) == (DrillVerdict.PASS, missed)
    assert list(remarks(warned, objective)) == [f"apps/notes: {one}" for one in missed]
    strict = replace(objective, fails=True)
    failed = measured(GOOD, strict, None)
    assert failed.verdict is (DrillVerdict.FAIL if missed else DrillVerdict.PASS)
    assert failed.reason == "; ".join(missed)
    assert list(remarks(failed, strict)) == []


def test_what_failed_otherwise_keeps_its_reason_and_what_was_not_measured_misses_nothing() -> None:
    strict = Objective(rto=60.0, rpo=60.0, fails=True)
    assert measured(BAD, strict, None).reason == "missing: a"
    unseen = ClaimOutcome("apps/notes", DrillVerdict.UNVERIFIED, "silent")
    assert measured(unseen, strict, None) == unseen


@pytest.mark.parametrize(
    ("took", "usual", "slower"), [(300.0, 100.0, True), (140.0, 100.0, False), (90.0, 20.0, True), (70.0, 20.0, False)]
)
def test_one_that_took_much_longer_than_usual_is_told(took: float, usual: float, slower: bool) -> None:
    found = list(remarks(measured(replace(GOOD, rto_seconds=took), Objective(), usual), Objective()))
    assert bool(found) is slower
    assert all("slower than before" in one for one in found)


@pytest.mark.parametrize(
    ("took", "usual", "says"),
    [(120.0, 100.0, "expected 100 s, it took 20 % longer"), (50.0, 100.0, "expected 100 s, it took 50 % less"),
     (100.2, 100.0, "expected 100 s, and so it was"), (100.0, None, ""), (None, 100.0, "")],
)  # fmt: skip
def test_it_is_said_how_good_a_forecast_was(took: float | None, usual: float | None, says: str) -> None:
    assert held(replace(GOOD, rto_seconds=took, expected_seconds=usual)) == says


def test_a_whole_recovery_takes_as_long_as_its_longest_and_no_less_than_all_share() -> None:
    seconds = {"a": 600.0, "b": 60.0, "c": 60.0}
    assert forecast_of("abc", seconds, HouseLimits()) == Forecast(600.0, 3)
    assert forecast_of("abc", seconds, HouseLimits(parallel=1)) == Forecast(720.0, 3)
    assert forecast_of("abc", seconds, HouseLimits(restore_parallel=1)) == Forecast(720.0, 3), "no more are restored at once"
    gaps = forecast_of("abd", seconds, HouseLimits())
    assert gaps == Forecast(600.0, 2, ("d",)) and "never measured, and not in it: d" in told(gaps)
    assert forecast_of("d", seconds, HouseLimits()) == Forecast(None, 0, ("d",))
    assert "not known" in told(forecast_of("d", seconds, HouseLimits()))


class TestBudget:
    def of(self, name: str, size: int | None, proven: float = 0.0, took: float | None = None) -> Candidate:
        return Candidate(a_claim(name), size, proven, took)

    def taken(self, budget: Budget, *candidates: Candidate) -> list[str]:
        return [claim.claim for claim in choose(candidates, budget).claims]

    def test_what_leaves_the_store_counts_what_is_planted_too(self) -> None:
        assert egress_of([10, 4]) == 22
        one, two = self.of("a", 10), self.of("b", 4)
        assert self.taken(Budget(egress=30), one, two) == ["a", "b"]
        chosen = choose((one, two), Budget(egress=29))
        assert [claim.claim for claim in chosen.claims] == ["b"], "30 bytes for the first alone"
        assert chosen.left_out == ("apps/a: with it 30 bytes would leave the store, and 29 may",)

    def test_one_of_unknown_size_is_taken_but_where_what_leaves_the_store_is_bounded(self) -> None:
        assert self.taken(Budget(bytes=5), self.of("a", None)) == ["a"]
        chosen = choose((self.of("a", None),), Budget(egress=10**9))
        assert chosen.claims == () and "its size is not known" in chosen.left_out[0]

    def test_time_goes_by_what_was_measured(self) -> None:
        known, unknown = self.of("a", 5, took=500.0), self.of("b", 5)
        chosen = choose((known, unknown), Budget(seconds=120.0))
        assert [claim.claim for claim in chosen.claims] == ["b"]
        assert "500 s did not fit into the 120 s that were left" in chosen.left_out[0]

    def test_what_did_not_fit_comes_first_the_next_time(self) -> None:
        budget = Budget(bytes=10)
        first = choose((self.of("a", 8), self.of("b", 8), self.of("c", 8)), budget)
        assert [claim.claim for claim in first.claims] == ["a"]
        again = choose((self.of("a", 8, proven=1.0), self.of("b", 8), self.of("c", 8)), budget)
        assert [claim.claim for claim in again.claims] == ["b"]
        last = choose((self.of("a", 8, proven=1.0), self.of("b", 8, proven=2.0), self.of("c", 8)), budget)
        assert [claim.claim for claim in last.claims] == ["c"]


def a_past(started: float, took: float, *, caught: bool = True, simulated: bool = False) -> DrillOutcome:
    return DrillOutcome(
        "run", "house", DrillVerdict.PASS, (), started, 1.0, (replace(GOOD, rto_seconds=took),), (), Control("x", caught, ""), (),
        simulated,
    )  # fmt: skip


def test_one_odd_night_says_nothing_of_how_long_it_usually_takes() -> None:
    nights = [a_past(float(n), took) for n, took in enumerate([10.0, 999.0, 12.0, 11.0, 13.0, 14.0, 15.0])]
    assert past_of(nights, simulated=False).took == {"apps/notes": 13.0}
    assert past_of([a_past(1.0, 5.0, caught=False), a_past(2.0, 5.0, simulated=True)], simulated=False).took == {}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[DrilledHouse]:
    return Built(lambda folder: DrilledHouse(folder, 1), tmp_path_factory.mktemp("measured") / "house")


def drilled(built: Built[DrilledHouse], objectives: Objectives, **expected: float) -> DrillOutcome:
    def play(there: DrilledHouse) -> DrillOutcome:
        drilling = there.drilling
        drilling.house = replace(drilling.house, rehearsal=Rehearsal({}, objectives))
        drilling.expected = {f"apps/{name}": seconds for name, seconds in expected.items()}
        return drilling.drill()

    return built.visit(play)


def test_a_drill_is_held_against_them_and_its_evidence_reads_back(built: Built[DrilledHouse]) -> None:
    strict = Objective(rto=1.0, fails=True)
    outcome = drilled(built, Objectives(claims={"apps/notes": strict, "apps/wiki": Objective(rto=1.0)}), photos=1.0)
    assert outcome.verdict is DrillVerdict.FAIL
    assert [claim.verdict for claim in outcome.claims] == [DrillVerdict.FAIL, DrillVerdict.PASS, DrillVerdict.PASS]
    assert "RTO missed" in outcome.reasons[0]
    assert [line.partition(":")[0] for line in outcome.warnings] == ["apps/wiki"]
    assert outcome.claims[1].expected_seconds == 1.0
    assert outcome.forecast is not None and outcome.forecast.claims == 3
    assert from_json(outcome.to_json()) == outcome


def test_a_claim_that_waits_for_its_turn_is_measured_from_its_own_order(built: Built[DrilledHouse]) -> None:
    """One restore at a time, as limits.restore_parallel may say: who comes last was no slower than who came first."""

    def play(there: DrilledHouse) -> DrillOutcome:
        there.drilling.limits = Limits(per_system={RESTORES: 1})
        return there.drilling.drill()

    outcome = built.visit(play)
    took = [claim.rto_seconds or 0.0 for claim in outcome.claims]
    assert outcome.verdict is DrillVerdict.PASS and all(took)
    assert max(took) < 2 * min(took), took


def test_what_a_drill_restores_is_counted_as_a_restore(built: Built[DrilledHouse]) -> None:
    steps = built.visit(lambda there: drill_course(there.drill).steps)
    assert {step.system for step in steps if step.id.startswith("rehearsal.restore/")} == {RESTORES}


@pytest.mark.parametrize("fails", [True, False])
def test_a_whole_recovery_that_takes_too_long(built: Built[DrilledHouse], fails: bool) -> None:
    outcome = drilled(built, Objectives(Objective(rto=1.0, fails=fails)))
    assert outcome.verdict is (DrillVerdict.FAIL if fails else DrillVerdict.PASS)
    assert any("a whole recovery missed" in line for line in (outcome.reasons if fails else outcome.warnings))


@pytest.mark.parametrize(("rto", "warned"), [(3600.0, True), (0.0, False)])
def test_an_objective_that_a_gap_keeps_from_being_shown_is_told(built: Built[DrilledHouse], rto: float, warned: bool) -> None:
    def play(there: DrilledHouse) -> DrillOutcome:
        house = replace(there.drilling.house, rehearsal=Rehearsal({}, Objectives(Objective(rto=rto, fails=True))))
        begun, report = there.drilling.live(lambda: replace(there.drill, house=house, claims=house.claims[:2]))
        there.drilling.new_life()
        found = outcome_of(begun, report, there.drilling.state(), there.clock.now())
        assert found is not None
        return found

    outcome = built.visit(play)
    assert (outcome.verdict, outcome.forecast and outcome.forecast.unmeasured) == (DrillVerdict.PASS, ("apps/wiki",))
    told = "whether the RTO of a whole recovery is met is not known: apps/wiki was never measured"
    assert outcome.warnings == ((told,) if warned else ())


def test_what_was_expected_outlives_a_kill(built: Built[DrilledHouse]) -> None:
    def play(there: DrilledHouse) -> dict[str, float]:
        drill: Drill = replace(there.drill, expected={"apps/notes": 7.0})
        drills = there.drilling.home.act("x").drills
        drills.fence_in(drill.run)
        drills.note("plan", drill.plan())
        again = resumed(there.drilling.house, drills.scratch(), drill.started + 1.0, {})
        assert again is not None
        return dict(again.expected)

    assert built.visit(play) == {"apps/notes": 7.0}


def test_what_the_settings_say_is_taken_and_what_is_wrong_refused(tmp_path: Path) -> None:
    key = load(with_more(tmp_path / "plain", "")).claims[0].key
    more = f"\nobjectives: {{rto: 4h, rpo: 36h, missed: fail, claims: {{{key}: {{rto: 20m, missed: warn}}}}}}\n"
    found = load(with_more(tmp_path / "said", more)).rehearsal.objectives
    assert found.whole == Objective(14400.0, 129600.0, True)
    assert found.of(key) == Objective(1200.0, 129600.0, False)
    assert found.of("other/claim") == Objective(0.0, 129600.0, True)
    wrongs = {"{missed: ignore}": "objectives.missed", "{rto: 4}": "objectives.rto", "{claims: {a/b: {}}}": "a/b: is no claim"}
    for wrong, says in wrongs.items():
        with pytest.raises(SettingsInvalid) as refused:
            load(with_more(tmp_path / says.replace("/", "-").replace(":", ""), f"\nobjectives: {wrong}\n"))
        assert says in refused.value.evidence[0]
