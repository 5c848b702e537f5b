"""One verb from its settings to its exit code: loads the house, opens the doors, runs, shows, and closes. Knows no port's use."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from adapters.context import LookContext
from adapters.remembering import remembering
from cluster import others
from cluster.ahead import ask_ahead
from cluster.course import Course, HouseGraph
from console.ending import LastWords, outcome_of, refusing
from console.kit.nouns import FromKit
from console.opened.doors import Doors
from console.opened.journals import journal_folder
from console.opened.leftovers import clear_away, left_by_drills
from console.opened.openhouse import OpenDoors, opened
from console.recorder import Recorder
from console.screens.tables import plan_following, plan_summary, plan_table, print_report
from console.signals import FIRST_S, Signals, cursor_kept
from console.views.jsonlines import JsonLines
from console.views.live import LiveView
from console.views.outlet import Outlet
from console.views.pace import pace_of
from console.views.page import Page, simulated
from console.views.plain import PlainLines
from console.views.problem import complete
from engine.approval import Approval, approve
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED
from engine.events import Sink, tee
from engine.executor import run
from engine.journal import Journal
from engine.limits import Limits
from engine.plan import Plan, plan
from engine.report import Report
from engine.stop import Stop
from engine.text.ages import clock_set
from engine.verify import verify
from engine.waiting import SystemClock, WallTime
from engine.workers import Threads
from house.known.lock import lock_path, read_lock
from house.model import House

APPROVAL_VALID_S = 24 * 3600.0
LEAVING_S = 2.0
"""How long a report may take to be told when somebody wants us to leave at once."""


NOTHING_IN_THE_WAY = "Nothing stands in the way of `invoke cluster.bootstrap`; `invoke cluster.plan` shows what it would do"
Also = Callable[[LookContext, Course], tuple[LookContext, Course]]
"""Adds to a course what it finds through the views, and answers through what that is looked at."""


def new_run_id(now: float) -> str:
    """Time and four random bytes: orders runs for people, and never repeats."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)) + "-" + secrets.token_hex(4)


@dataclass
class Session:
    """One invocation of one verb. `settings` is what `--settings` said: the commands that are shown repeat it.

    `report` is the folder that the run's evidence goes to, "" for none. Through `drill_doors` a run clears away what a drill left
    that was killed (None: that is another's). `kit` is the one that the house was read from, if it was. `troubles` are told at the
    end, and so are bugs of ours that came `beside` the rows of a plan or a verify.
    """

    verb: str
    house: House
    open_doors: OpenDoors
    json: bool = False
    settings: str = ""
    report: str = ""
    drill_doors: OpenDoors | None = field(default=None, kw_only=True)
    kit: FromKit | None = field(default=None, kw_only=True)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    stop: Stop = field(default_factory=Stop)
    first_s: float = FIRST_S
    exit: Callable[[int], object] = os._exit
    troubles: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.clock = SystemClock(self.stop.event)
        self.wall_time = WallTime(self.clock)
        self.run_id = new_run_id(self.clock.now())
        self.page = Page(self.out, simulated(self.house.name) if self.house.simulated else None, silent=self.json)
        self.lines = JsonLines(self.out, self.house.simulated)
        self.recorder = Recorder(self.house, self.verb, self.run_id, self.clock.now(), self.report)

    # The verbs' building blocks.

    def plan(
        self, course: Course, written: tuple[Path, ...] = (), words: str = "", fields: Mapping[str, object] | None = None,
        *, act: str, excluded: bool = True,
    ) -> int:  # fmt: skip
        """Look once and show what a run would do. Changes nothing; `written` are files that were, for the person; `words` stand
        below the plan, `fields` in the last JSON line. `act` is the command that does it. `excluded`: a run of it changes what
        another machine's keeps it from."""
        with self.doors(None) as doors:
            workers = Threads()
            look = remembering(doors.look, workers)
            watch = others.Watch(look, doors.holder, workers) if excluded else None
            made = self.planned(course.graph(), look, workers, ahead=True)
            other, lease = watch.seen(made) if watch is not None else (None, None)
        self.show_plan(made)
        for told in filter(None, (other.told if other else "", lease.told if lease else "", words)):
            self.page.say(told)
        self.tell_written(written)
        if following := plan_following(made, act, self.verb):
            self.page.say(f"Next: {complete(following, self.settings)}")
        counts = Counter(line.verdict.value for line in made.lines)
        outcome = "changes" if made.changes else "noop"
        more = {**({"other_run": other, "lease": lease} if excluded else {}), **(fields or {})}
        return self.finish(outcome, counts, made.exit_code, plan=made.digest, lines=made.lines, written=written, **more)

    def apply(
        self, course: Course, approved: str = "", next_command: str = "", done: str = "", again: str = "",
        words: Callable[[Report], LastWords] | None = None,
    ) -> int:  # fmt: skip
        """Bring the house to what the course says, resuming what an earlier run left; answers the exit code.

        `done` is what a run that converged ends with, `next_command` what then comes while claims are held, and `again` the command
        that goes on where it did not ("" for the verb alone); `words` tells all three and more by the report.
        """
        graph, limits = course.graph(), self.house.limits
        self.recorder.of(graph)
        with Signals(self.stop, self.first_s).wired() as signals:
            journals = journal_folder(self.house.state_dir, self.verb)
            with opened(self.house, self.run_id, self.open_doors, self.clock, self.stop, self.troubles, journals) as house:
                doors = house.doors
                approval = self.consent(graph, doors, house.journal, approved)
                signals.running = doors.end_programs
                with self.view() as view, house.sink(view, self.heed_the_reader) as sink:
                    report = run(
                        graph, doors.look, doors.act, journal=house.journal, clock=self.clock, workers=Threads(), stop=self.stop,
                        sink=tee(sink, self.recorder.moments), limits=Limits(at_once=limits.parallel, per_system={
                            "proxmox": limits.proxmox_parallel, "helm": 1, "restores": limits.restore_parallel,
                            "talos": len(self.house.nodes),  # a worker waits for a control plane: that one needs a place
                        }),
                        approval=approval, guards=course.guards, programs=doors.programs, ended=house.ended, bug_log=house.bug_log,
                    )  # fmt: skip
                report = house.with_bug(report)
                last = words(report) if words is not None else LastWords(next_command, done, again)
                if self.stop.at_once:
                    self.leave(report, last)
                left = left_by_drills(doors.look) if self.drill_doors is not None and not self.stop.requested else ()
            return self.finish_run(report, self.without_leftovers(last, left))

    def without_leftovers(self, last: LastWords, left: tuple[str, ...]) -> LastWords:
        """Clear away what a drill left, and say so."""
        if not left or self.drill_doors is None:
            return last
        found = clear_away(self.house, left, self.run_id, self.drill_doors, self.clock, self.stop, self.troubles)
        self.page.say(f"{found.told}.")
        for line in () if found.cleared else found.found:
            self.page.say(f"  {line}")
        return replace(last, fields=dict(last.fields) | {"rehearsal": found})

    def leave(self, report: Report, last: LastWords) -> None:
        """Tell the report, if anybody takes it, and end the process: the lock goes with it, and with it every thread that acts."""
        telling = threading.Thread(target=self.finish_run, args=(report, last), daemon=True)
        telling.start()
        telling.join(LEAVING_S)
        self.exit(report.exit_code)

    def verify(self, course: Course, also: Also | None = None) -> int:
        """One look at everything at once; answers 0, 3 for drift, 30 when it could not look.

        `also` adds what it finds there to the course, and answers through what that is looked at.
        """
        report = self.looked(course, also)
        # What a step would mend is mended by a run; what only checks say no to by a person, who then looks again.
        wrong, steps = {one.id for one in report.root_causes}, {one.id for one in course.steps}
        mended = report.exit_code == EXIT_DRIFT and not steps.isdisjoint(wrong)
        return self.finish_run(report, LastWords("invoke dr.restore", again="invoke cluster.plan" if mended else ""))

    def preflight(self, course: Course) -> int:
        """One look at every check of the course; a blocking one that does not say yes refuses, as it would refuse a run."""
        report = self.looked(course)
        told = replace(report, verb="preflight", steps=tuple(map(refusing, report.steps)))
        return self.finish_run(told, LastWords(done=NOTHING_IN_THE_WAY))

    def looked(self, course: Course, also: Also | None = None) -> Report:
        """One look at everything of the course, and of what `also` adds to it."""
        self.recorder.of(course.graph())
        with self.doors(None) as doors:
            look, whole = also(doors.look, course) if also is not None else (doors.look, course)
            graph = whole.graph()
            self.recorder.of(graph)
            return verify(graph, look, workers=Threads(), at_once=16, clock=self.clock)

    def known(self) -> dict[str, str]:
        """Claim key → repository id, as blackstart.lock.yaml has them; empty without that file."""
        return {row.claim: row.repository_id for row in read_lock(lock_path(self.house))}

    # Pieces.

    @contextmanager
    def doors(self, journal: Journal | None) -> Iterator[Doors]:
        """Open the house's doors for the length of the block."""
        doors = self.open_doors(self.house, self.run_id, self.clock, journal)
        try:
            yield doors
        finally:
            self.troubles += self.beside  # as it is now: whoever still asks finds the doors closed
            self.troubles += doors.close()

    def consent(self, graph: HouseGraph, doors: Doors, journal: Journal, approved: str) -> Approval | None:
        """Turn `--approve DIGEST` into an approval of the acts of the plan of now, and journal it."""
        if not approved:
            return None
        now = self.clock.now()
        workers = Threads()
        made = self.planned(graph, remembering(doors.look, workers), workers)
        return approve(
            approved, acts=made.acts, plan_digest=made.digest, journalled=journal.state.approvals, now=now,
            valid_s=APPROVAL_VALID_S,
        )  # fmt: skip

    def planned(self, graph: HouseGraph, look: LookContext, workers: Threads, *, ahead: bool = False) -> Plan:
        """What a run would do; its rows share the answers of what they all ask: `look` remembers. A run looks again before it acts.

        With `ahead` nodes and cluster are asked ahead, by programs that may outlast the plan: not where a run follows, which would
        note them.
        """
        if ahead and any(name.startswith("talos.") for name in graph.ids):
            ask_ahead(look, self.house, workers, self.beside)
        return plan(graph, look, workers=workers, at_once=16)

    @contextmanager
    def view(self) -> Iterator[Sink]:
        """On screen JSON lines, a live view on a terminal, plain lines otherwise."""
        if self.json:
            yield self.lines
        elif self.page.live:
            self.page.begin()
            pace = partial(pace_of, self.house.state_dir / "runs")
            with cursor_kept(), LiveView(self.page.console, self.settings, pace) as live:
                yield live
        else:
            yield PlainLines(self.page.out, self.settings)

    def heed_the_reader(self) -> None:
        """A program that follows a run's JSON lines has it in hand: without it the run must not go on by itself."""
        if self.json and not self.stop.requested and isinstance(self.out, Outlet) and self.out.reader_left:
            self.stop.request("nobody reads the JSON lines any more")

    def show_plan(self, made: Plan) -> None:
        """The plan's table and its one sentence."""
        self.page.show(plan_table(made))
        self.page.say(f"\n{plan_summary(made)}")

    def tell_written(self, written: tuple[Path, ...]) -> None:
        """Which files were written for the person."""
        if written:
            self.page.say(f"Written: {', '.join(map(str, written))}")

    def finish_run(self, report: Report, last: LastWords) -> int:
        """Show a report and finish with its exit code."""
        print_report(self.page, report, self.verb, self.settings)
        if told := last.told(report):
            self.page.say(told)
        if following := last.next_command(report, self.verb):
            self.page.say(f"Next: {complete(following, self.settings)}")
        counts = last.counts or report.counts
        code, written = self.record(report, last)
        ill = {"problem": report.failure} if report.failure is not None else {}
        return self.finish(outcome_of(report), counts, code, run=self.run_id, steps=report.steps, **ill, **last.fields, **written)

    def record(self, report: Report, last: LastWords) -> tuple[int, Mapping[str, object]]:
        """Keep the run's evidence, and write it where `--report` says: the exit code, which is no success where that failed."""
        code = last.exit_code(report)
        recorded = self.recorder.record(report, self.clock.now(), code, last.drill, self.kit)
        self.troubles += recorded.troubles
        if recorded.told:
            self.page.say(recorded.told)
        lost = self.report and not recorded.fields and (report.converged or code == EXIT_OK)
        return EXIT_STEP_FAILED if lost else code, recorded.fields

    def finish(self, outcome: str, counts: Mapping[str, int], code: int, **more: object) -> int:
        """Tell what went wrong while closing, write the last JSON line (`result`), and answer the exit code."""
        self.troubles += filter(None, (clock_set(self.wall_time.set_by_s),))
        for trouble in self.troubles:
            self.page.say(f"warning: {trouble}")
        self.page.end()
        if self.json:
            more = more | ({"closing": self.troubles} if self.troubles else {})
            result = {
                "verb": self.verb, "outcome": outcome, "counts": counts, "seconds": round(time.monotonic() - self.started, 3),
                "exit_code": code, "simulated": self.house.simulated,
                **({"kit": self.kit} if self.kit is not None else {}), **more,
            }  # fmt: skip
            self.lines.last(result)
        return code
