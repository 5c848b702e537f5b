"""What a drill that was killed left in the cluster goes at the end of the next run that may change something. Knows no verb.

A drill that lives is left alone: on this machine its lock says so, on another one its Lease. What does not go in time is told,
and nothing waits for it: the run that came after it has ended already.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.context import LookContext
from console.opened.journals import REHEARSE, journal_folder
from console.opened.openhouse import OpenDoors, opened
from engine.errors import BlackstartError, JournalBusy
from engine.executor import run
from engine.report import Report
from engine.stop import Stop
from engine.text.words import number
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import House

LIMIT_S = 60.0
"""For so long a run's end may be put off by what somebody else left."""


@dataclass(frozen=True)
class Leftovers:
    """`found` is what was left when the run ended, in words; `told` one sentence of what became of it ("" for nothing found)."""

    found: tuple[str, ...] = ()
    told: str = ""
    cleared: bool = False


NONE = Leftovers()


def left_by_drills(look: LookContext) -> tuple[str, ...]:
    """What there is of any drill in the cluster; () where nothing is, or where nobody could look: the next run looks again."""
    try:
        scratch = look.drills.scratch()
    except BlackstartError:
        return ()
    return scratch.left or (f"namespace {scratch.namespace}",) if scratch is not None else ()


def clear_away(
    house: House, found: tuple[str, ...], run_id: str, open_doors: OpenDoors, clock: SystemClock, stop: Stop, troubles: list[str]
) -> Leftovers:
    """Clear it away within LIMIT_S, unless a drill is at it; answers what became of it."""
    # All steps of a drill come with it, and hardly a run meets what one has left.
    from rehearsal.course import clearing

    many = _many(found)
    try:
        with opened(
            house, f"{run_id}-clearing", open_doors, clock, stop, troubles, Path(journal_folder(house.state_dir, REHEARSE))
        ) as there:
            doors, course = there.doors, clearing(LIMIT_S)
            report: Report = run(
                course.graph(), doors.look, doors.act, journal=there.journal, clock=clock, workers=Threads(), stop=stop,
                programs=doors.programs, ended=there.ended, bug_log=there.bug_log,
            )  # fmt: skip
            left = left_by_drills(doors.look)
        with suppress(OSError):  # a bug's traceback is in it, or it is empty: no run that anybody asked for
            there.folder.rmdir()
    except JournalBusy:
        return Leftovers(found, f"A rehearsal goes on on this machine, and is left alone: {many} in the cluster")
    except BlackstartError as error:
        return Leftovers(found, f"Not cleared away: {many} in the cluster: {error.what}")
    if report.converged and not left:
        return Leftovers(found, f"Cleared away: {many} that was cut off", cleared=True)
    why = report.root_causes[0].error.what if report.root_causes and report.root_causes[0].error is not None else "it takes longer"
    return Leftovers(left or found, f"Not cleared away: {_many(left or found)} in the cluster: {why}")


def _many(found: tuple[str, ...]) -> str:
    return number(len(found), "thing of a rehearsal", "things of a rehearsal")
