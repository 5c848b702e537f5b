"""The hour's own judgement, in a house whose faults are known by heart."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.coverage.hour import QUIET_OF_S, QUIET_S, Hour, Turn

LOOK_S = 7.0


@dataclass
class Scripted:
    """A house whose looks take their time: it tells of a fault `after_s`, and for `false_at` also what is not so."""

    after_s: float = 0.0
    false_at: float = float("inf")
    time: float = 1000.0
    here: dict[str, float] = field(default_factory=dict)
    begun: list[tuple[str, float]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def look(self) -> dict[str, str]:
        began = self.time
        self.time += LOOK_S
        told = {name: "broken" for name, since in self.here.items() if began - since >= self.after_s}
        return told | ({"another.row": "is not so"} if began >= self.false_at else {})

    def turn(self, name: str) -> Turn:
        def begin() -> None:
            self.here[name] = self.time
            self.begun.append((name, self.time))

        return Turn(name, (name,), 60.0, begin, lambda: self.here.pop(name))


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
