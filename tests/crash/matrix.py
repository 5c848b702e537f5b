"""The crash matrix: every fault at every mutation, and every way to die at every write of the journal. For any stage.

A *stage* is one world with all that outlives the tool's process. `explore` builds it once and runs a copy of it clean, to learn the
mutations; then, for each point, another copy meets that fault and is started again until it converges, plans all noop and did
nothing twice.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.errors import OurError
from engine.journal import Disk
from engine.plan import Plan
from engine.report import Report
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from lab.world.clock import VirtualClock
from lab.world.faults import Death, Fault
from lab.world.world import World
from tests.crash.apart import Built

MOST_LIVES = 8
PAUSES_S = (0.0, 0.5, 4.0, 90.0)
"""How long the operator takes to start the tool again, in turn: at once is the hardest."""


class Stage(Protocol):
    """One world, one state folder, one clock."""

    @property
    def world(self) -> World: ...
    @property
    def clock(self) -> VirtualClock: ...

    def live(self, disk: Disk) -> Report:
        """Start the tool: open the journal on this disk and run until the report. Raises Death; lets go of the journal then.

        The contexts are made anew (lab.ports.faulty), in the life that the clock lives now.
        """

    def plan(self) -> Plan:
        """What a run would do now, looked at past all faults."""

    def doubled(self) -> Sequence[str]:
        """What was done twice, or is wrong otherwise, in words; nothing when all is well."""

    def left_open(self) -> Sequence[str]:
        """The steps that the journal holds for begun and not ended."""


MakeStage = Callable[[Path, int], Stage]
"""A fresh stage in this empty folder, its threads taking turns by this seed."""


@dataclass(frozen=True)
class Point:
    """One fault at one place: the name of a mutation, or the number of a journal write."""

    place: str
    fault: Fault | DiskFault
    seed: int

    @property
    def method(self) -> str:
        """`port.method` of the mutation; "" for a write of the journal."""
        return "" if isinstance(self.fault, DiskFault) else self.place.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.fault.value} at {self.place} (seed {self.seed})"


@dataclass
class Matrix:
    """What was explored: `points` of `possible`."""

    mutations: tuple[str, ...] = ()
    writes: int = 0
    points: int = 0
    possible: int = 0
    lives: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    met: set[str] = field(default_factory=set)  # `port.method` of every mutation that any life reached

    def __str__(self) -> str:
        restarts = ", ".join(f"{count} after {lives}" for lives, count in sorted(self.lives.items()))
        return (
            f"crash matrix: {len(self.mutations)} mutations and {self.writes} journal writes; "
            f"{self.points} of {self.possible} points; converged: {restarts} life or lives; {len(self.failures)} failed"
        )


Choose = Callable[[Sequence[Point]], Sequence[Point]]
"""Which of all points are visited."""


def every(points: Sequence[Point]) -> Sequence[Point]:
    """All of them: `make prove`."""
    return points


_WRITES = 6


def some(points: Sequence[Point], known: Collection[str] = ()) -> Sequence[Point]:
    """A part that stands for all: every fault for each method, one at each place at least, and one at each sixth write.

    A method's faults are dealt out to its places: what it does to four machines is one piece of code. Of the `known` methods, which
    met every fault in another stage already, each place has one.
    """
    chosen: list[Point] = []
    places: dict[str, list[list[Point]]] = {}
    for number, (place, there) in enumerate(itertools.groupby(points, key=lambda point: point.place)):
        faults = list(there)
        method = faults[0].method
        if method and method not in known:
            places.setdefault(method, []).append(faults)
        elif method or int(place) % _WRITES == 1:
            chosen.append(faults[number % len(faults)])
    return [*itertools.chain.from_iterable(map(_dealt, places.values())), *chosen]


def _dealt(places: Sequence[Sequence[Point]]) -> list[Point]:
    """Each fault once and each place once, at least."""
    faults = len(places[0])
    return [places[n % len(places)][n % faults] for n in range(max(len(places), faults))]


def met_whole(points: Iterable[Point]) -> set[str]:
    """The methods that meet every fault at one of these points or another."""
    faults: dict[str, set[object]] = {}
    for point in points:
        faults.setdefault(point.method, set()).add(point.fault)
    return {method for method, met in faults.items() if method and met == set(Fault)}


def explore(
    make: MakeStage,
    folder: Path,
    *,
    faults: Iterable[Fault] = tuple(Fault),
    disk_faults: Iterable[DiskFault] = tuple(DiskFault),
    seeds: Iterable[int] = (1,),
    choose: Choose = every,
) -> Matrix:
    """Visit the chosen points, by default the whole matrix. Failures are collected, so that one run shows all of them."""
    matrix = Matrix()
    for seed in seeds:
        stage = Built(lambda state, seed=seed: make(state, seed), folder / str(seed))
        if not matrix.mutations:
            matrix.mutations, matrix.writes = stage.visit(_clean)
        points = [Point(name, fault, seed) for name in matrix.mutations for fault in faults]
        points += [Point(str(n + 1), fault, seed) for n in range(matrix.writes) for fault in disk_faults]
        matrix.possible += len(points)
        for point in choose(points):
            pause_s = PAUSES_S[matrix.points % len(PAUSES_S)]
            matrix.points += 1
            problems, lives, met = stage.visit(lambda there, point=point, pause_s=pause_s: _survive(there, point, pause_s))
            matrix.met |= met
            matrix.lives[lives] += 1
            matrix.failures += [f"{point}, again after {pause_s:g} s: {problem}" for problem in problems]
    return matrix


def _clean(stage: Stage) -> tuple[tuple[str, ...], int]:
    """Every mutation of a run without faults, and how many writes its journal has. It must converge by itself."""
    disk = FencedDisk(stage.clock.fence)
    report = stage.live(disk)
    assert report.converged, report
    wrong = [line.id for line in stage.plan().changes]
    assert not wrong, f"without any fault, the plan after the run is not empty: {wrong}"
    assert not stage.doubled(), stage.doubled()
    return tuple(dict.fromkeys(stage.world.faults.reached)), disk.writes


def _survive(stage: Stage, point: Point, pause_s: float) -> tuple[list[str], int, set[str]]:
    """Meet the fault, start again until converged; answers what is wrong then, how many lives it took, and the methods it met."""
    armed = None
    if isinstance(point.fault, DiskFault):
        armed = ArmedWrite(int(point.place), point.fault)
    else:
        stage.world.faults.arm(point.place, point.fault)
    struck = False
    for life in range(1, MOST_LIVES + 1):
        disk = FencedDisk(stage.clock.fence, armed)
        armed = None
        report = _life(stage, disk)
        struck = struck or disk.struck or bool(stage.world.faults.struck)
        if report is not None and report.converged:
            problems = [] if struck else ["the fault was never met"]
            problems += [f"plan is not empty: {line.id} {line.verdict.value}" for line in stage.plan().changes]
            problems += [f"{step} is in flight for ever: no run ends what it began" for step in stage.left_open()]
            return problems + list(stage.doubled()), life, _met(stage)
        stage.clock.sleep(pause_s)
    causes = [f"{line.id}: {line.detail}" for line in report.root_causes] if report is not None else ["died, or could not start"]
    return [f"not converged in {MOST_LIVES} lives: {causes}"], MOST_LIVES, _met(stage)


def _met(stage: Stage) -> set[str]:
    return {name.partition("/")[0] for name in stage.world.faults.reached}


def _life(stage: Stage, disk: FencedDisk) -> Report | None:
    """One start of the tool; None when it died or ended in an error. Its threads are buried, and the next life begins."""
    try:
        return stage.live(disk)
    except (Death, OurError):
        return None
    finally:
        stage.clock.bury()
        stage.clock.new_life()
