"""A drill that was killed goes on, but not behind a fence that was tried long before."""

from __future__ import annotations

import pytest

from adapters.drills.results import FenceWall
from lab.world.faults import Death, Fault
from rehearsal.outcome import DrillOutcome, DrillVerdict
from tests.crash.apart import Built
from tests.rehearsal.stage import DrilledHouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[DrilledHouse]:
    return Built(lambda folder: DrilledHouse(folder, 1), tmp_path_factory.mktemp("cut-off") / "house")


def gone_on(built: Built[DrilledHouse], pause_s: float, *walls: FenceWall) -> tuple[DrillOutcome, int, int]:
    """Killed at its first restore, and started again after this pause, in which these walls have come down: what it has shown,
    and how often the fence was tried and anything restored."""

    def play(there: DrilledHouse) -> tuple[DrillOutcome, int, int]:
        drilling, faults = there.drilling, there.world.faults
        faults.arm("drills.restore/*", Fault.DIE_BEFORE)
        with pytest.raises(Death):
            drilling.live(lambda: there.drill)
        drilling.new_life()
        faults.disarm()
        there.clock.sleep(pause_s)
        drilling.home.kube.objects().rigged.open_walls.update(walls)
        faults.forget()
        outcome = drilling.drill()
        return outcome, *(sum(name.startswith(f"drills.{what}") for name in faults.reached) for what in ("try_fence", "restore"))

    return built.visit(play)


def test_at_once_it_goes_on_behind_the_fence_that_it_has_tried(built: Built[DrilledHouse]) -> None:
    outcome, tried, restored = gone_on(built, 60.0)
    assert (outcome.verdict, outcome.run, tried) == (DrillVerdict.PASS, "the-drill", 0)
    assert restored > 0


def test_hours_later_every_wall_is_tried_again(built: Built[DrilledHouse]) -> None:
    outcome, tried, restored = gone_on(built, 7200.0)
    assert (outcome.verdict, outcome.run, tried) == (DrillVerdict.PASS, "the-drill", 1)
    assert restored > 0


def test_nothing_is_restored_behind_a_wall_that_came_down_meanwhile(built: Built[DrilledHouse]) -> None:
    outcome, _, restored = gone_on(built, 7200.0, FenceWall.EGRESS)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert [part.name for part in outcome.fence if not part.proven] == ["egress"]
    assert restored == 0
