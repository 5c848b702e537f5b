"""The hour's own judgement, in a house whose faults are known by heart."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.coverage.hour import QUIET_OF_S, QUIET_S, SETTLES_S, Hour, Turn, settled, told
from tests.coverage.watch import GONE_WITHIN_S, Watch, Watched

LOOK_S = 7.0


@dataclass
class Scripted:
    """A house whose looks take their time: it tells of a fault `after_s`, `for_s` and `lingers_s` after its end, from `false_at`
    on also what is not so."""

    after_s: float = 0.0
    for_s: float = float("inf")
    lingers_s: float = 0.0
    false_at: float = float("inf")
    time: float = 1000.0
    here: dict[str, float] = field(default_factory=dict)
    begun: list[tuple[str, float]] = field(default_factory=list)
    gone: dict[str, float] = field(default_factory=dict)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def look(self) -> dict[str, str]:
        began = self.time
        self.time += LOOK_S
        said = {name: "broken" for name, since in self.here.items() if self.after_s <= began - since < self.after_s + self.for_s}
        said |= {name: "broken" for name, ended in self.gone.items() if began - ended < self.lingers_s}
        return said | ({"another.row": "is not so"} if began >= self.false_at else {})

    def turn(self, name: str) -> Turn:
        def begin() -> None:
            self.here[name] = self.time
            self.begun.append((name, self.time))

        def end() -> None:
            del self.here[name]
            self.gone[name] = self.time

        return Turn(name, (name,), 60.0, begin, end)


def test_faults_come_by_a_seed_each_once_before_any_comes_again_and_are_named() -> None:
    def lived(seed: int) -> Scripted:
        house = Scripted()
        watch = Hour(house, [house.turn(name) for name in "abcd"], seed, 1800.0).live()
        assert watch.wrongs == []
        assert {one.took_s for one in watch.faults} == {0.0}
        assert house.here == {}
        return house

    one, again, other = lived(3), lived(3), lived(4)
    assert sorted(name for name, _ in one.begun[:4]) == list("abcd")
    assert one.begun == again.begun != other.begun


def test_nothing_begins_in_the_quiet_of_each_twenty_minutes() -> None:
    house = Scripted()
    watch = Hour(house, [house.turn(name) for name in "abcd"], 1, 2 * QUIET_OF_S).live()
    assert len(house.begun) > 8
    assert all((when - 1000.0) % QUIET_OF_S < QUIET_OF_S - QUIET_S for _, when in house.begun)
    assert watch.quiet > 20


def test_a_fault_that_is_told_too_late_is_a_miss_and_ends_all_the_same() -> None:
    house = Scripted(after_s=500.0)
    watch = Hour(house, [house.turn("a")], 1, 300.0).live()
    assert watch.wrongs
    assert all("does not tell it" in wrong for wrong in watch.wrongs)
    assert house.here == {}


def test_a_row_of_no_fault_is_a_false_alarm() -> None:
    house = Scripted(false_at=1200.0)
    watch = Hour(house, [house.turn("a")], 1, 300.0).live()
    assert watch.wrongs
    assert all("false alarm" in wrong and "another.row" in wrong for wrong in watch.wrongs)


def test_a_fault_that_is_told_once_and_no_more_is_a_miss() -> None:
    house = Scripted(for_s=LOOK_S)
    watch = Hour(house, [house.turn("a")], 1, 300.0).live()
    assert watch.wrongs
    assert all("tells it no more" in wrong for wrong in watch.wrongs)


@pytest.mark.parametrize(("lingers_s", "wrong"), [(GONE_WITHIN_S - LOOK_S, False), (GONE_WITHIN_S + 3 * LOOK_S, True)])
def test_a_fault_may_be_told_for_a_while_after_its_end(lingers_s: float, wrong: bool) -> None:
    house = Scripted(lingers_s=lingers_s)
    watch = Hour(house, [house.turn(name) for name in "abcdefghijklmnopqrst"], 1, 900.0).live()
    assert any("false alarm" in one for one in watch.wrongs) == wrong


def test_an_hour_with_a_wrong_in_it_did_not_hold_nor_did_one_in_which_nothing_came() -> None:
    turn = Scripted().turn("a")
    came = [Watched("a", ("a",), 0.0, 60.0)]
    assert told(Watch(faults=came), [turn], 1) == 0
    assert told(Watch(faults=came, wrongs=["false alarm"]), [turn], 1) == 1
    assert told(Watch(), [turn], 1) == 1


@pytest.mark.parametrize(("well_after_s", "left"), [(0.0, {}), (60.0, {}), (SETTLES_S + 60.0, {"young": "broken"})])
def test_a_house_that_was_just_built_is_given_the_time_that_its_pods_need(well_after_s: float, left: dict[str, str]) -> None:
    house = Scripted(for_s=well_after_s)
    house.here["young"] = house.time
    assert settled(house) == left
    assert house.time - house.here["young"] <= SETTLES_S + 4 * LOOK_S
