"""Small steps and a small world for the engine's tests: a `Shelf` of named things, and steps that put a thing on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import events
from engine.executor import run
from engine.graph import Graph
from engine.journal import Disk, Journal, open_journal, read_state
from engine.limits import Limits
from engine.probe import Identity, Probe, missing, satisfied
from engine.report import Report
from engine.state import State
from engine.step import BaseStep, Hazard, Notes, Severity, StepId
from engine.stop import Stop
from lab.world.clock import VirtualClock

HOUSE = "house-1"


@dataclass
class Shelf:
    """Look and Act context in one: what stands on it, and everything that was done, in order."""

    clock: VirtualClock
    things: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    at_work: set[str] = field(default_factory=set)
    most_at_work: int = 0

    def put(self, name: str, seconds: float = 0.0) -> None:
        """Put a thing there; takes a while."""
        self.at_work.add(name)
        self.most_at_work = max(self.most_at_work, len(self.at_work))
        self.clock.sleep(seconds)
        self.at_work.discard(name)
        self.done.append(name)
        self.things.add(name)


@dataclass(frozen=True)
class Thing(Identity):
    """What stands on the shelf, by name."""

    name: str

    def __str__(self) -> str:
        return self.name


Look = Callable[[Shelf], Probe]
Apply = Callable[[Shelf, Probe, Notes], None]


@dataclass(frozen=True)
class ToyStep(BaseStep):
    """Puts the thing of its own name on the shelf, unless `looks` or `acts` say otherwise."""

    id: StepId
    needs: Collection[str] = ()
    system: str = "shelf"
    always: bool = False
    standing: bool = False
    sight_s: float = 10.0
    settle_s: float = 2.0
    ready_s: float = 30.0
    inputs: str = "v1"
    takes_s: float = 1.0
    bad: Hazard = Hazard.NONE
    named: str = ""
    joins: str = ""
    looks: Look | None = None
    acts: Apply | None = None

    @property
    def title(self) -> str:
        return f"put {self.id}"

    def hazard(self, seen: Probe) -> Hazard:
        return self.bad

    def guarded(self, seen: Probe) -> bool:
        return not self.joins or seen.detail != self.joins

    def identity(self, seen: Probe) -> Identity | None:
        return Thing(self.named) if self.named else None

    def probe(self, look: Shelf) -> Probe:
        look.looks.append(self.id)
        if self.looks is not None:
            return self.looks(look)
        return satisfied("on the shelf") if self.id in look.things else missing("not on the shelf")

    def apply(self, act: Shelf, seen: Probe, notes: Notes) -> None:
        if self.acts is not None:
            self.acts(act, seen, notes)
        else:
            act.put(self.id, self.takes_s)

    def by_hand(self) -> str:
        return f"put {self.id}"


@dataclass(frozen=True)
class ToyCheck:
    """Answers what it is told to."""

    id: StepId
    looks: Look
    needs: Collection[str] = ()
    severity: Severity = Severity.BLOCKING
    sight_s: float = 10.0

    @property
    def title(self) -> str:
        return f"check {self.id}"

    def severity_of(self, seen: Probe) -> Severity:
        return self.severity

    def probe(self, look: Shelf) -> Probe:
        look.looks.append(self.id)
        return self.looks(look)


def a_step(name: str, *needs: str, **changes: Any) -> ToyStep:
    """A step `toy.put/<name>` that needs `toy.put/<need>` each."""
    return ToyStep(StepId(f"toy.put/{name}"), tuple(f"toy.put/{need}" for need in needs), **changes)


def a_check(name: str, looks: Look, **changes: Any) -> ToyCheck:
    """A check `toy.check/<name>`."""
    return ToyCheck(StepId(f"toy.check/{name}"), looks, **changes)


def answers(*probes: Probe | Exception) -> Look:
    """A look that gives these answers in turn, the last one for ever; errors are raised."""
    left = list(probes)

    def look(shelf: Shelf) -> Probe:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


@dataclass
class Bench:
    """One house on disk with one shelf: opens the journal, runs, keeps the events."""

    folder: Path
    seed: int = 0
    clock: VirtualClock = field(init=False)
    shelf: Shelf = field(init=False)
    seen: list[events.Event] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.seed)
        self.shelf = Shelf(self.clock)

    def journal(self, disk: Disk | None = None) -> Journal:
        """Open it for the next run."""
        self.runs += 1
        return open_journal(self.folder, lineage=HOUSE, run=f"run-{self.runs}", disk=disk, now=self.clock.now)

    def run(self, *items: Any, disk: Disk | None = None, stop: Stop | None = None, **options: Any) -> Report:
        """One run over these steps and checks."""
        stop = stop or Stop()
        self.clock.heeds(stop)
        options.setdefault("limits", Limits())
        options.setdefault("sink", self.seen.append)
        with self.journal(disk) as journal:
            return run(
                Graph(items), self.shelf, self.shelf,
                journal=journal, clock=self.clock, workers=self.clock.workers(), stop=stop, **options,
            )  # fmt: skip

    def of(self, kind: type[events.Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.seen if isinstance(event, kind)]


def state(bench: Bench) -> State:
    """What the journal of this bench holds."""
    return read_state(bench.folder, lineage=HOUSE)


def lines(bench: Bench) -> list[dict[str, object]]:
    """The journal's lines, without their checksums."""
    return [json.loads(line.partition(" ")[2]) for line in (bench.folder / "journal").read_text().splitlines()]
