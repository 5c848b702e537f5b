"""A house opened for a run that may change it: what is taken in which order, and given back in the reverse one. Knows no verb.

    lock and journal → the run's folder → doors (their keeper holds a duplicate of the lock) → programs of dead runs ended
    → the screen … the run … → the screen → doors (Lease, programs, clients) → journal and lock

What goes wrong while it closes is told beside the report, and never in its place.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.opened.doors import Doors
from console.runs import begun
from console.views.jsonlines import JsonLines
from console.views.outlet import Outlet
from console.views.screen import Screen
from engine.errors import JournalUnwritable
from engine.events import Sink, tee
from engine.journal import Journal, open_journal
from engine.programs import end_leftovers
from engine.report import Bug, Report
from engine.secrets import redact
from engine.stop import Stop
from engine.waiting import SystemClock
from house.model import House

OpenDoors = Callable[[House, str, SystemClock, Journal | None], Doors]


@dataclass
class OpenHouse:
    """What a run works with. `ended` are the programs of dead runs that were alive and ended; `troubles` come while closing."""

    run: str
    journal: Journal
    doors: Doors
    folder: Path
    ended: tuple[str, ...]
    stop: Stop
    troubles: list[str]
    bug: Bug | None = field(default=None)

    @contextmanager
    def sink(self, view: Sink, after: Callable[[], None]) -> Iterator[Sink]:
        """Each event into the run's folder, then to the screen, which may lag behind."""
        with (self.folder / "events.jsonl").open("w", encoding="utf-8") as file:
            kept = JsonLines(Outlet(file, file.name))
            screen = Screen(view, after)
            try:
                yield tee(kept, screen)
            finally:
                self.troubles += screen.close(1.0 if self.stop.at_once else 5.0)

    def bug_log(self, text: str) -> str:
        """Write a traceback to the run's folder and answer where; where that can't be, on standard error: it must not be lost."""
        path = self.folder / "bug.log"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(redact(text))
        except OSError as error:
            sys.stderr.write(redact(text))
            return f"what was printed above on standard error ({path} cannot be written: {error.strerror})"
        return str(path)

    @contextmanager
    def threads_watched(self) -> Iterator[None]:
        """What comes out of a thread that no step lives on is a bug like any other: the run stops in order, and ends with it."""
        before = threading.excepthook

        def caught(told: threading.ExceptHookArgs) -> None:
            if told.exc_value is None or isinstance(told.exc_value, SystemExit):
                return
            text = redact("".join(traceback.format_exception(told.exc_value)))
            where = told.thread.name if told.thread is not None else "a thread"
            self.bug = self.bug or Bug(where, type(told.exc_value).__name__, self.bug_log(text), text)
            if not self.stop.requested:
                self.stop.request(f"a bug of ours in {where}")

        threading.excepthook = caught
        try:
            yield
        finally:
            threading.excepthook = before

    def with_bug(self, report: Report) -> Report:
        """The report, ended by the bug of a thread when there was one."""
        return report if self.bug is None or report.bug is not None else replace(report, bug=self.bug)


@contextmanager
def opened(
    house: House, run: str, open_doors: OpenDoors, clock: SystemClock, stop: Stop, troubles: list[str], journals: Path
) -> Iterator[OpenHouse]:
    """Open the house for the length of the block, its journal in the folder `journals`.

    Raises JournalBusy, JournalDamaged, JournalUnwritable, and what doors raise."""
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(journals, lineage=house.id, run=run))
        folder = _made(house.state_dir / "runs", run)
        doors = open_doors(house, run, clock, journal)
        stack.callback(lambda: troubles.extend(doors.close()))
        ended = end_leftovers(journal.state.programs, doors.end_group) if doors.end_group is not None else ()
        open_house = OpenHouse(run, journal, doors, folder, ended, stop, troubles)
        stack.enter_context(open_house.threads_watched())
        yield open_house


def _made(runs: Path, run: str) -> Path:
    """The run's own folder; one that cannot be made is told as the journal beside it would be."""
    try:
        return begun(runs, run)
    except OSError as error:
        raise JournalUnwritable(
            f"the run's folder {runs / run} cannot be made",
            evidence=(f"{type(error).__name__}: {error.strerror}",),
            hint="nothing was begun; free space, or repair the disk",
        ) from error
