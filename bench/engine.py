"""What the engine itself costs: per step beyond the disk's own sync, and for deciding over 100 to 10,000 steps.

Run it with `python -m bench.engine [FOLDER]`; FOLDER is where the journals go (the disk that is measured). Prints a table,
writes bench/results/engine.json, and exits 1 when a goal is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.table import Row, Table
from engine.executor import run
from engine.graph import Graph
from engine.journal import SystemDisk, open_journal
from engine.plan import plan
from engine.probe import Probe, missing, satisfied
from engine.sealed.entries import Begin, End
from engine.step import BaseStep, Notes, StepId
from engine.waiting import SystemClock
from engine.workers import Threads

STEPS = 300
SIZES = (100, 1_000, 10_000)
REPEATS = 3
MOST_MS_PER_STEP = 2.0
MOST_S_FOR_10000 = 2.0
World = set[str]


@dataclass(frozen=True)
class Mark(BaseStep):
    """Puts its own id into a set: all that is measured is the engine."""

    id: StepId
    needs: tuple[str, ...] = ()
    system = "memory"
    settle_s = 0.0
    inputs = "0123456789abcdef"

    @property
    def title(self) -> str:
        return f"mark {self.id}"

    def probe(self, look: World) -> Probe:
        return satisfied("marked") if self.id in look else missing("not marked")

    def apply(self, act: World, seen: Probe, notes: Notes) -> None:
        act.add(self.id)

    def by_hand(self) -> str:
        return ""


@dataclass
class CountingDisk(SystemDisk):
    """The system's disk, with how often it was synced and how long that took."""

    syncs: int = 0
    seconds: float = 0.0

    def write(self, fd: int, data: bytes) -> int:
        start = time.perf_counter()
        try:
            return super().write(fd, data)
        finally:
            self.seconds += time.perf_counter() - start

    def sync(self, fd: int) -> None:
        start = time.perf_counter()
        super().sync(fd)
        self.seconds += time.perf_counter() - start
        self.syncs += 1


def steps(count: int, *, chain: bool) -> list[Mark]:
    """A chain, or all side by side."""
    return [Mark(StepId(f"bench.mark/{n}"), (f"bench.mark/{n - 1}",) if chain and n else ()) for n in range(count)]


def disk_sync_ms(folder: Path) -> float:
    """The disk's own price of appending one line and syncing it: the median of many."""
    line = b"x" * 120 + b"\n"

    def append() -> None:
        os.write(fd, line)
        os.fdatasync(fd)

    fd = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        took = [_timed(append) for _ in range(STEPS)]
    finally:
        os.close(fd)
    return statistics.median(took) * 1e3


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def per_step(folder: Path, *, chain: bool) -> tuple[float, float, float]:
    """Milliseconds per step in all and beyond its writes and syncs; syncs per step."""
    graph, world, disk = Graph(steps(STEPS, chain=chain)), World(), CountingDisk()
    with open_journal(folder, lineage="bench", run="bench", disk=disk) as journal:
        disk.syncs, disk.seconds = 0, 0.0
        took = _timed(lambda: run(graph, world, world, journal=journal, clock=SystemClock(), workers=Threads()))
    assert len(world) == STEPS
    return took / STEPS * 1e3, (took - disk.seconds) / STEPS * 1e3, disk.syncs / STEPS


def decide(folder: Path, count: int) -> tuple[float, float, float]:
    """Seconds for graph and plan, for the whole decision of a resume (journal included), and for a run with nothing to do."""
    world = World(f"bench.mark/{n}" for n in range(count))
    with open_journal(folder, lineage="bench", run="old") as journal:
        journal.append(*(Begin(name, "0123456789abcdef") for name in sorted(world)))
        journal.append(*(End(name, "changed", "marked") for name in sorted(world)[: count - count // 10]))

    def resume() -> None:
        with open_journal(folder, lineage="bench", run="new") as journal:
            assert len(journal.state.in_flight) == count // 10
            assert not plan(Graph(steps(count, chain=True)), world).changes

    planning = _timed(lambda: plan(Graph(steps(count, chain=True)), world).digest)
    resuming = _timed(resume)
    with open_journal(folder / "run", lineage="bench", run="new") as journal:
        graph = Graph(steps(count, chain=True))
        running = _timed(lambda: run(graph, world, world, journal=journal, clock=SystemClock(), workers=Threads()))
    return planning, resuming, running


def main(folder: Path) -> int:
    """Measure, tell, and answer the exit code."""
    table = Table("engine")
    before = disk_sync_ms(folder)
    for chain in (True, False):
        found = [per_step(folder / f"steps-{chain}-{n}", chain=chain) for n in range(REPEATS)]
        total, beyond, syncs = (statistics.median(column) for column in zip(*found, strict=True))
        shape = "one after another" if chain else "side by side"
        note = f"{total:.3f} ms in all, {syncs:.2f} syncs"
        table.add(f"a step, {shape}: beyond the disk", beyond, "ms", MOST_MS_PER_STEP, note)
    sync = statistics.median([before, disk_sync_ms(folder)])
    table.rows.insert(0, Row("the disk's own append and sync", sync, "ms"))
    for count in SIZES:
        found = [decide(folder / f"decide-{count}-{n}", count) for n in range(REPEATS)]
        goal = MOST_S_FOR_10000 * max(1.0, count / 10_000)
        for what, column in zip(("plan", "resume decision", "run with nothing to do"), zip(*found, strict=True), strict=True):
            table.add(f"{what} of {count:,} steps", statistics.median(column), "s", goal)
    return table.tell()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        sys.exit(main(Path(name)))
