"""Runs a graph until the world agrees: one thread schedules, writes the journal and emits events; workers live the steps.

Knows no port, no terminal and no signal. How it is used:

    graph = Graph(course(house))                                    # steps and checks; raises GraphInvalid
    seen = plan(graph, look)                                        # engine.plan: changes nothing, waits for nothing
    stop = Stop()                                                   # the console wires signals to stop.request
    clock = SystemClock(stop.event)
    with open_journal(folder, lineage=house.id, run=run_id) as journal:
        report = run(graph, look, act, journal=journal, clock=clock, workers=Threads(), stop=stop, sink=view)
    sys.exit(report.exit_code)

and in a test, where time is held in the hand and threads take turns by a seed:

    clock = VirtualClock(seed=1)                                    # lab.world.clock
    report = run(graph, look, act, journal=journal, clock=clock, workers=clock.workers())
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from engine import events
from engine.approval import Approval
from engine.graph import Graph, is_check, is_step
from engine.journal import Journal
from engine.limits import Limits
from engine.programs import EndGroup, Programs
from engine.report import Outcome, Report, StepReport
from engine.running.desk import Desk
from engine.running.endings import after, end_entry, why
from engine.running.ledger import Ledger
from engine.running.life import StepLife, Surroundings, live_check, live_vetoed
from engine.running.line import (
    Asked,
    Crashed,
    Exchange,
    News,
    Result,
    Retries,
    SawNew,
    StopAsked,
    Waits,
    WantsProgram,
)
from engine.running.opening import open_run
from engine.running.schedule import Passages, Schedule
from engine.running.scribe import Scribe
from engine.running.teller import Teller
from engine.secrets import told
from engine.step import Check, StepId
from engine.stop import Stop
from engine.waiting import Clock
from engine.workers import Workers

Look = TypeVar("Look")
Act = TypeVar("Act")


def run(
    graph: Graph[Look, Act],
    look: Look,
    act: Act,
    *,
    journal: Journal,
    clock: Clock,
    workers: Workers,
    limits: Limits | None = None,
    sink: events.Sink = events.nowhere,
    approval: Approval | None = None,
    stop: Stop | None = None,
    guards: Mapping[str, Check[Look]] | None = None,
    programs: Programs | None = None,
    end_group: EndGroup | None = None,
    ended: tuple[str, ...] = (),
    bug_log: Callable[[str], str] | None = None,
) -> Report:
    """Bring the world to what the graph says, and report.

    `guards` holds, per system, the check that must say yes before a step may disturb it. `programs` is told by the process
    adapter what it starts; `end_group` ends what a dead run left, `ended` tells what of it was ended already. `bug_log` writes a
    traceback and answers where.
    Errors of steps are lines of the report. Raised are: JournalUnwritable when not even the run's start can be written,
    PermanentError when a program of a dead run can't be ended, and the end of the process itself (KeyboardInterrupt and such).
    """
    around = Surroundings(look, act, clock, Exchange(workers), limits or Limits(), approval, programs or Programs(), guards or {})
    stop = stop or Stop()
    return _Run(graph, around, journal, workers, Teller(sink, clock, stop, bug_log), stop).go(end_group, ended)


class _Run(Generic[Look, Act]):
    """The one thread's side of a run."""

    def __init__(
        self, graph: Graph[Look, Act], around: Surroundings[Look, Act], journal: Journal, workers: Workers, teller: Teller,
        stop: Stop,
    ) -> None:  # fmt: skip
        self._graph = graph
        self._around = around
        self._journal = journal
        self._workers = workers
        self._stop = stop
        self._teller = teller
        self._scribe = Scribe(journal)
        self._desk = Desk(Passages(graph), self._scribe, self._teller, stop)
        self._schedule = Schedule(graph, around.limits)
        self._ledger = Ledger(graph, around.clock)
        self._stop_told = 0

    def go(self, end_group: EndGroup | None, ended: tuple[str, ...]) -> Report:
        """The whole run."""
        line, programs = self._around.line, self._around.programs
        unsubscribe = self._stop.subscribe(lambda: line.tell(StopAsked()))
        try:
            open_run(self._journal, self._graph, self._around.approval, self._teller, end_group, ended)
            programs.bind(lambda value: line.ask(WantsProgram(value)))
            self._work()
        finally:
            programs.bind(None)
            unsubscribe()
            line.close()
        report = self._ledger.report(
            self._journal.run, interrupted=self._stop.requested, bug=self._teller.bug, failure=self._scribe.failure
        )
        self._emit(events.RunEnded(self._now(), report))
        return replace(report, bug=self._teller.bug)  # the view may fail at this very event

    # --- the loop ---

    def _work(self) -> None:
        while not self._stop.at_once:
            self._heed_stop()
            if not self._stop.requested:
                for name in self._schedule.take():
                    self._start(name)
            if not self._schedule.running:
                break
            self._hear()
        self._heed_stop()
        if not self._schedule.running:
            self._desk.close()

    def _start(self, name: StepId) -> None:
        item = self._graph[name]
        self._ledger.start(name)
        self._emit(events.StepStarted(self._now(), name, item.title, is_check(item)))
        self._workers.start(partial(self._live, name, vetoed=bool(self._schedule.vetoed(name))))

    def _live(self, name: StepId, *, vetoed: bool) -> None:
        """On a worker: all that comes out of a step goes to the one thread."""
        state, item = self._journal.state, self._graph[name]
        try:
            if is_step(item) and vetoed:
                result = live_vetoed(item, self._around, resumed=name in state.in_flight)
            elif is_step(item):
                result = StepLife(item, self._around, resumed=name in state.in_flight).live()
            else:
                assert is_check(item)
                result = live_check(item, self._around)
        except BaseException as error:  # noqa: BLE001 - carried to the one thread, which records a bug or raises it
            self._around.line.tell(Crashed(name, error))
        else:
            self._around.line.tell(result)

    def _hear(self) -> None:
        """Take all messages that are there, write what they ask for with one sync, then answer."""
        inbox = self._around.line.inbox
        message = inbox.get()
        while message is not None:
            if isinstance(message, Asked):
                self._desk.answer(message.question, message.answer)
            else:
                self._heed(message)
            message = inbox.get(0)
        self._desk.commit()

    def _heed(self, news: News) -> None:
        now = self._now()
        match news:
            case SawNew(step, seen):
                shown = seen.as_told()
                self._emit(events.StepSeen(now, step, shown.condition, shown.detail, shown.evidence))
            case Waits(step, what, limit_s):
                self._emit(events.StepWaiting(now, step, told(what), limit_s))
            case Retries(step, attempt, what):
                self._emit(events.StepRetrying(now, step, attempt, told(what)))
            case Result():
                self._end(news)
            case Crashed(step, error):
                if not isinstance(error, Exception):
                    raise error
                self._teller.record(step, error)
                self._finish(self._ledger.line(step, Outcome.FAILED, "a bug of ours: see the run's log"))
            case StopAsked():
                self._heed_stop()

    # --- ends ---

    def _end(self, result: Result) -> None:
        refuses = not self._desk.begun and self._graph.stops_a_step(result.step)
        error = why(self._graph[result.step], result, refuses=refuses)
        detail = told(result.seen.detail) if error is None else error.what
        if result.outcome is Outcome.BLOCKED:
            causes = self._schedule.vetoed(result.step)
            line = self._ledger.line(result.step, Outcome.BLOCKED, after(causes), blocked_by=causes)
            self._scribe.then(partial(self._finish, line))
            return
        entry = end_entry(result, detail, self._journal.state.last.get(result.step))
        if entry is not None:
            self._scribe.write(entry)
        line = self._ledger.line(result.step, result.outcome, detail, error=error, result=result)
        self._scribe.then(partial(self._finish, line))

    def _finish(self, line: StepReport) -> None:
        """A step has ended: free what it held, let others go on or block them."""
        self._ledger.enter(line)
        self._emit(events.StepEnded(self._now(), line))
        item = self._graph[line.id]
        if is_step(item):
            self._desk.leave(line.id, item.system)
        for name, causes in self._schedule.end(line.id, done=line.done):
            if any(map(self._ledger.failed, causes)):
                blocked = self._ledger.line(name, Outcome.BLOCKED, after(causes), blocked_by=causes)
                self._ledger.enter(blocked)
                self._emit(events.StepEnded(self._now(), blocked))

    def _heed_stop(self) -> None:
        """Once per level: say so, and send home who queues for a passage."""
        if self._stop.level <= self._stop_told:
            return
        self._stop_told = self._stop.level
        self._emit(events.Stopping(self._now(), self._stop.level, self._stop.reason))
        self._desk.send_home()

    def _now(self) -> float:
        return self._teller.now()

    def _emit(self, event: events.Event) -> None:
        self._teller.emit(event)
