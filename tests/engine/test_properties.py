"""Whatever the graph, whatever fails, whenever it dies: the rules hold. Graphs, faults and turns are drawn at random."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.executor import run
from engine.graph import Graph
from engine.journal import open_journal, read_state
from engine.limits import Limits
from engine.plan import Planned, plan
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.report import DONE, Outcome, Report
from engine.sealed.entries import Begin, End, Line, decode
from engine.step import Hazard, Notes
from engine.stop import Stop
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from lab.world.clock import VirtualClock
from lab.world.faults import Death
from tests.drawn import MORE
from tests.engine.toys import HOUSE, Shelf, ToyStep, a_step

SYSTEMS = ("pve", "etcd", "flux")


@dataclass(frozen=True)
class Nature:
    """How one step of a drawn graph behaves."""

    needs: tuple[int, ...]
    system: str
    takes_s: float
    shows_s: float
    troubles: tuple[str, ...]
    risky: bool
    always: bool


@dataclass
class Place:
    """The world of one drawn graph: what was done when, and what each step still has in store."""

    clock: VirtualClock
    natures: list[Nature]
    done_at: dict[str, float] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    disturbing: set[str] = field(default_factory=set)
    troubles: dict[str, list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def steps(self) -> list[ToyStep]:
        """One per nature."""
        return [self._step(number, nature) for number, nature in enumerate(self.natures)]

    def _step(self, number: int, nature: Nature) -> ToyStep:
        name = f"toy.put/{number}"
        left = self.troubles.setdefault(name, list(nature.troubles))

        def looks(shelf: Shelf) -> Probe:
            if left and left[0] in ("dark", "busy"):
                return unknown("dark") if left.pop(0) == "dark" else changing("busy")
            if left and left[0] == "refused-look":
                raise PermanentError("403")
            shown = name in self.done_at and self.clock.monotonic() >= self.done_at[name] + nature.shows_s
            return satisfied() if shown else missing("not there")

        def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
            missing_needs = [need for need in nature.needs if f"toy.put/{need}" not in self.done_at]
            if missing_needs and not nature.always:
                self.wrong.append(f"{name} acted before {missing_needs}")
            if nature.risky:
                if nature.system in self.disturbing:
                    self.wrong.append(f"{name} disturbed {nature.system} together with another")
                self.disturbing.add(nature.system)
            try:
                trouble = left.pop(0) if left else ""
                self.clock.sleep(nature.takes_s)
                if trouble == "refused":
                    left.insert(0, "refused")
                    raise PermanentError("no")
                if trouble == "server-error":
                    raise TransientError("503")
                self.acts[name] += 1
                self.done_at.setdefault(name, self.clock.monotonic())
                if trouble == "lost-reply":
                    raise TransientError("reset")
            finally:
                self.disturbing.discard(nature.system)

        return a_step(
            str(number), *map(str, nature.needs), system=nature.system, looks=looks, acts=acts, always=nature.always,
            bad=Hazard.DISRUPTS if nature.risky else Hazard.NONE, settle_s=3.0, ready_s=40.0,
        )  # fmt: skip


@st.composite
def _natures(draw: st.DrawFn, fatal: bool = True) -> list[Nature]:
    kinds = ["dark", "busy", "server-error", "lost-reply"] + (["refused", "refused-look"] if fatal else [])
    out: list[Nature] = []
    for number in range(draw(st.integers(1, 12))):
        out.append(
            Nature(
                needs=tuple(draw(st.sets(st.integers(0, number - 1), max_size=3))) if number else (),
                system=draw(st.sampled_from(SYSTEMS)),
                takes_s=draw(st.sampled_from([0.0, 0.7, 5.0])),
                shows_s=draw(st.sampled_from([0.0, 0.4, 2.9])),
                troubles=tuple(draw(st.lists(st.sampled_from(kinds), max_size=3))),
                risky=draw(st.booleans()),
                always=draw(st.integers(0, 9)) == 0,
            )
        )
    return out


def _run(
    place: Place, folder: Path, stop: Stop | None = None, armed: ArmedWrite | None = None
) -> tuple[Report, list[events.Event]]:
    seen: list[events.Event] = []
    place.clock.heeds(stop or Stop())
    shelf = Shelf(place.clock)
    disk = FencedDisk(place.clock.fence, armed)
    with open_journal(folder, lineage=HOUSE, run="r", disk=disk, now=place.clock.now) as journal:
        report = run(
            Graph(place.steps()), shelf, shelf, journal=journal, clock=place.clock, workers=place.clock.workers(),
            limits=Limits(at_once=5, per_other_system=3), sink=seen.append, stop=stop,
        )  # fmt: skip
    return report, seen


@settings(max_examples=40 * MORE, deadline=None)
@given(_natures(), st.integers(0, 1000))
def test_any_graph_with_any_failures(natures: list[Nature], seed: int) -> None:
    place = Place(VirtualClock(seed), natures)
    with tempfile.TemporaryDirectory() as name:
        report, seen = _run(place, Path(name))
        lines = decode((Path(name) / "journal").read_bytes()).lines
    assert place.wrong == []
    assert max(place.acts.values(), default=0) <= 1, "nothing is done twice, whatever was lost"
    outcome = {str(line.id): line.outcome for line in report.steps}
    for number, nature in enumerate(natures):
        mine = outcome[f"toy.put/{number}"]
        needs_done = all(outcome[f"toy.put/{need}"] in DONE for need in nature.needs)
        assert mine in DONE or mine in (Outcome.FAILED, Outcome.BLOCKED)
        assert (mine is Outcome.BLOCKED) == (not needs_done and not nature.always), "blocked: by a failure above, and only then"
    roots = {line.id for line in report.root_causes}
    assert all(set(line.blocked_by) <= roots and line.blocked_by for line in report.steps if line.outcome is Outcome.BLOCKED)
    assert len([event for event in seen if isinstance(event, events.StepEnded)]) == len(natures)
    _begins_and_ends_alternate(lines)


def _begins_and_ends_alternate(lines: list[Line]) -> None:
    """A successful end of a changed step follows its begin."""
    begun: set[str] = set()
    for line in lines:
        entry = line.entry
        if isinstance(entry, Begin):
            begun.add(entry.step)
        if isinstance(entry, End) and entry.outcome == "changed":
            assert entry.step in begun


@settings(max_examples=30 * MORE, deadline=None)
@given(_natures(fatal=False), st.integers(0, 1000), st.data())
def test_dying_at_any_write_and_starting_again_converges_without_doing_anything_twice(
    natures: list[Nature], seed: int, data: st.DataObject
) -> None:
    place = Place(VirtualClock(seed), natures)
    with tempfile.TemporaryDirectory() as name:
        for life in range(12):
            fault = data.draw(st.sampled_from(DiskFault)) if life < 3 else None
            armed = ArmedWrite(data.draw(st.integers(1, 12)), fault) if fault else None
            report = None
            with suppress(Death, BlackstartError):
                report, _ = _run(place, Path(name), armed=armed)
            place.clock.bury()
            place.clock.new_life()
            place.disturbing.clear()
            if report is not None and report.converged:
                break
        assert report is not None and report.converged, report
        assert place.wrong == [] and set(place.acts.values()) <= {1}
        assert plan(Graph(place.steps()), Shelf(place.clock)).changes == ()
        assert read_state(Path(name), lineage=HOUSE).in_flight == {}


@settings(max_examples=20 * MORE, deadline=None)
@given(_natures(fatal=False), st.integers(0, 1000), st.floats(0.0, 30.0))
def test_a_stop_at_any_time_ends_soon_and_the_next_run_finishes(natures: list[Nature], seed: int, at: float) -> None:
    place = Place(VirtualClock(seed), natures)
    with tempfile.TemporaryDirectory() as name:
        stop = Stop()
        timer = _Timer(place.clock, at, stop)
        place.clock.drives(timer)
        start = place.clock.monotonic()
        report, _ = _run(place, Path(name), stop)
        if stop.requested:
            assert report.exit_code == 130 or report.converged
            assert place.clock.monotonic() - start <= at + 1.0, "calls under way end soon, waits at once"
        timer.at = None
        report, _ = _run(place, Path(name))
        assert report.converged and place.wrong == [] and set(place.acts.values()) <= {1}


class _Timer:
    """Asks to stop at its time."""

    def __init__(self, clock: VirtualClock, seconds: float, stop: Stop) -> None:
        self.at: float | None = clock.monotonic() + seconds
        self._clock = clock
        self._stop = stop

    def next_due(self) -> float | None:
        """When it asks."""
        return self.at

    def tick(self) -> None:
        """Ask when it is time."""
        if self.at is not None and self.at <= self._clock.monotonic():
            self.at = None
            self._stop.request()


def _finished(folder: Path) -> tuple[Place, list[bytes]]:
    natures = [
        Nature((), "pve", 1.0, 0.0, (), False, False),
        Nature((0,), "pve", 1.0, 2.0, ("lost-reply",), False, False),
        Nature((0,), "etcd", 1.0, 0.0, (), True, False),
        Nature((1, 2), "flux", 1.0, 0.0, ("server-error",), False, False),
    ]
    place = Place(VirtualClock(3), natures)
    assert _run(place, folder)[0].converged
    return place, (folder / "journal").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("world", ["as it became", "gone"])
def test_resume_at_every_line_of_the_journal(tmp_path: Path, world: str) -> None:
    """Whatever part of its history is left: what is there is not done again, what is not there is done once."""
    _, lines = _finished(tmp_path / "first")
    assert len(lines) >= 9
    for kept in range(len(lines) + 1):
        folder = tmp_path / f"{world}-{kept}"
        place, _ = _finished(folder)
        (folder / "journal").write_bytes(b"".join(lines[:kept]))
        place.acts.clear()
        if world == "gone":
            place.done_at.clear()
        begun = set(read_state(folder, lineage=HOUSE).in_flight)
        report, seen = _run(place, folder)
        assert report.converged
        assert {event.step for event in seen if isinstance(event, events.OpenBegin)} == begun
        assert {line.id for line in report.steps if line.resumed} == begun
        assert set(place.acts.values()) == ({1} if world == "gone" else set())
        assert read_state(folder, lineage=HOUSE).in_flight == {}


def test_a_journal_that_was_lost_costs_nothing_but_history(tmp_path: Path) -> None:
    place, _ = _finished(tmp_path / "house")
    (tmp_path / "house" / "journal").unlink()
    place.acts.clear()
    report, _ = _run(place, tmp_path / "house")
    assert report.counts["ok"] == 4 and not place.acts
    assert all(line.verdict is Planned.NOOP for line in plan(Graph(place.steps()), Shelf(place.clock)).lines)
