"""An hour of wall time in a running house with the real programs: random named faults, and times in which nothing begins.

`python -m tests.coverage.hour [--seed N] [--minutes M] [--fault NAME]`: `cluster.verify` must name each fault within the time that
its own file gives (`seen_within_s`) and go on naming it while it lasts, and nothing may be red otherwise. 1 on any miss or false
alarm. A seed plays its faults in one order; how long a look takes, and so how many come, is the machine's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from lab.troubles.component import COMPONENT_TROUBLES, ComponentTrouble
from lab.troubles.component_faults import NOT_HERE
from lab.troubles.seen import WITHIN_S
from tests.coverage.day import line, say
from tests.coverage.watch import GONE_WITHIN_S, Watch, Watched
from tests.crash.wire.bench import Bench
from tests.lab.built.named import NAMED, Named, built
from tests.lab.built.rows import red

FOR_GOOD = ("git-ahead",)
"""What nothing takes back."""
QUIET_OF_S, QUIET_S = 1200.0, GONE_WITHIN_S + 240.0
"""Of every so many seconds, the last in which nothing begins: for a part of them what was before may still be told."""
SETTLES_S = 600.0
_GAPS_S, _LASTS_S = (5.0, 60.0), (10.0, 60.0)
"""How long until the next one begins, and how long one lasts once it was named."""
_BREATH_S = 2.0


@dataclass(frozen=True)
class Turn:
    """One fault that may come: the rows that must tell of it, and within how many seconds of the moment at which it is there."""

    name: str
    rows: tuple[str, ...]
    within_s: float
    begin: Callable[[], object]
    end: Callable[[], object]


class Lived(Protocol):
    """A house that goes on by itself, looked at from outside."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""

    def look(self) -> dict[str, str]:
        """The rows of a verify that are red, each with its words."""


class WireHouse:
    """The bench's house, and the faults that it can have."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def now(self) -> float:
        """See Lived."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See Lived."""
        time.sleep(seconds)

    def look(self) -> dict[str, str]:
        """See Lived."""
        return red(self._bench)

    def complete(self) -> None:
        """Put all systems into it, as the first fault of one of them would: their pods need a while to begin."""
        first = next(one for one in COMPONENT_TROUBLES if one not in NOT_HERE)
        self._bench.ask("trouble", name=first, target="", end=True)

    def turns(self) -> list[Turn]:
        """Every fault that begins and ends in such a house, in the order of their lists."""
        named = [self._named(one) for one in NAMED if one.name not in FOR_GOOD]
        return named + [self._component(one) for one in COMPONENT_TROUBLES.values() if one.name not in NOT_HERE]

    def _named(self, one: Named) -> Turn:
        title = f"{one.name} {one.target.partition(' ')[0]}".strip()
        return Turn(title, one.red, WITHIN_S, lambda: one.begin(self._bench), lambda: one.end(self._bench))

    def _component(self, one: ComponentTrouble) -> Turn:
        def ask(**more: bool) -> None:
            self._bench.ask("trouble", name=one.name, target="", **more)

        return Turn(one.name, (one.row,), one.seen_within_s, ask, lambda: ask(end=True))


@dataclass
class Hour:
    """So much time in one house: `turns` come in a drawn order, each once before any comes again, one at a time."""

    house: Lived
    turns: Sequence[Turn]
    seed: int
    seconds: float
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._left: list[Turn] = []
        self._began = self.house.now()

    def live(self) -> Watch:
        """All of it; what came of it."""
        while self.house.now() < self._began + self.seconds:
            self._gap()
            if not self._is_quiet() and self.house.now() < self._began + self.seconds:
                self._play()
        return self.watch

    def _is_quiet(self) -> bool:
        return (self.house.now() - self._began) % QUIET_OF_S >= QUIET_OF_S - QUIET_S

    def _gap(self) -> None:
        until = self.house.now() + self._between(_GAPS_S)
        while self.house.now() < until:
            self._look()

    def _play(self) -> None:
        self._left = self._left or self._random.sample(self.turns, len(self.turns))
        turn = self._left.pop()
        try:
            turn.begin()
            one = self.watch.begins(Watched(turn.name, turn.rows, self.house.now(), turn.within_s))
            while self._look() < one.began + one.within_s and one.named is None:
                pass
            until = self.house.now() + self._between(_LASTS_S)
            while one.named is not None and self.house.now() < until:
                self._look()
        finally:
            turn.end()
        one.ended = self.house.now()
        left_s = max(0.0, self._began + self.seconds - one.ended)
        say(f"{line(one)}  {left_s / 60:3.0f} min left")

    def _between(self, span: tuple[float, float]) -> float:
        return float(round(self._random.uniform(*span)))

    def _look(self) -> float:
        """One look, judged by when it began, which comes back: what comes while it looks is for the next."""
        began = self.house.now()
        self.watch.looked(began, self.house.look())
        self.house.sleep(_BREATH_S)
        return began


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.coverage.hour", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fault", action="append", help="only this one (again for more)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hour-") as folder:
        say("builds the house first, which takes some minutes")
        with Bench.of("four-nodes", Path(folder), scenario="hosts-lost", warm=True) as bench:
            built(bench)
            house = WireHouse(bench)
            turns = [turn for turn in house.turns() if not chosen.fault or turn.name.partition(" ")[0] in chosen.fault]
            house.complete()
            if left := settled(house):
                say(f"never well {SETTLES_S:.0f} s after it was built: {'; '.join(f'{row}: {told}' for row, told in left.items())}")
                return 1
            say(f"{'began':<6} {'fault':<34} {'named after':>22}  {'lasted':>8}")
            watch = Hour(house, turns, chosen.seed, chosen.minutes * 60.0).live()
    return told(watch, turns, chosen.seed)


def settled(house: Lived) -> dict[str, str]:
    """Look until nothing is red, or for SETTLES_S: the pods of a house that was just built begin to run when its steps are over.
    What is red still."""
    until = house.now() + SETTLES_S
    while (red_ := house.look()) and house.now() < until:
        house.sleep(_BREATH_S)
    return red_


def told(watch: Watch, turns: Sequence[Turn], seed: int) -> int:
    """The last lines; 1 where anything was wrong, or nothing came that could be."""
    for wrong in watch.wrongs:
        say(f"WRONG {wrong}")
    unseen = len(turns) - len({one.name for one in watch.faults})
    say(
        f"seed {seed}: {len(watch.faults)} faults ({unseen} of {len(turns)} never came), {watch.looks} looks, "
        f"{watch.quiet} of them quiet; {len(watch.wrongs)} wrong"
    )
    return 1 if watch.wrongs or not watch.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
