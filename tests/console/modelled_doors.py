"""The modelled house behind the console's doors, for sessions in tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from adapters.context import ActContext, LookContext
from adapters.leased import leased
from adapters.surface import read_only
from console.session import OpenDoors, Session
from engine.journal import Journal
from engine.programs import EndGroup, Programs
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import House
from lab.world.clock import VirtualClock
from tests.builders import a_house
from tests.copied import copied
from tests.scenario.running import Running


@dataclass
class ModelledDoors:
    """See console.opened.doors.Doors."""

    look: LookContext
    act: ActContext
    holder: str = "this-machine"
    programs: Programs = field(default_factory=Programs)
    end_group: EndGroup | None = None
    closed: int = 0
    troubles: tuple[str, ...] = ()

    def end_programs(self, grace_s: float) -> None:
        """There is no program to end."""

    def close(self) -> tuple[str, ...]:
        """Count it; told is what the test wants to have gone wrong."""
        self.closed += 1
        return self.troubles


class LentTime:
    """The modelled house's time for the threads of a real run, one at a time: the clock's own thread waits for the run."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self.now = clock.now
        self.monotonic = clock.monotonic

    def sleep(self, seconds: float) -> None:
        """Let so much of its time pass."""
        with self._turn, self._clock.lent():
            self._clock.sleep(seconds)


class Desk:
    """A modelled house, and sessions with it. `spoil` changes the ports that the next session gets."""

    def __init__(self, folder: Path, given: House | None = None, **changes: object) -> None:
        given = given or a_house(state_dir=folder / "state", settings_file=folder / "blackstart.yaml", **changes)
        self.running = Running(folder / "state", given)
        self.running.backed_up()
        self.opened: list[ModelledDoors] = []
        self.time = LentTime(self.running.clock)
        self.spoil: Callable[[ActContext], ActContext] = lambda act: act

    @classmethod
    def bootstrapped(cls, folder: Path, **changes: object) -> Self:
        """At a house after its bootstrap: a copy of the first of its kind."""
        return copied(cls._bootstrapped, folder, changes)

    @classmethod
    def _bootstrapped(cls, folder: Path, changes: Mapping[str, object]) -> Self:
        made = cls(folder, **changes)
        report = made.running.apply(made.running.bootstrap)
        assert report.converged, report.root_causes
        return made

    def doors(self, house: House, run: str, clock: SystemClock, journal: Journal | None) -> ModelledDoors:
        """What a session opens; each look and act goes to the same modelled house."""
        ports = replace(self.spoil(self.running.home.act(run)), clock=self.time)
        act, _ = leased(ports, "this-machine", Threads())
        self.opened.append(ModelledDoors(read_only(act), replace(act, run=run)))
        return self.opened[-1]

    def session(self, verb: str, *, json: bool = False) -> Session:
        """One invocation of one verb."""
        open_doors: OpenDoors = self.doors
        return Session(verb, self.running.house, open_doors, json)
