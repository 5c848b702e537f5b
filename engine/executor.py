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

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from engine import events
from engine.approval import Approval
from engine.endings import begun_with_others, end_entry, why
from engine.entries import Begin, Note
from engine.errors import BlackstartError, Interrupted
from engine.graph import Graph, is_check, is_step
from engine.journal import Journal
from engine.ledger import Ledger
from engine.life import StepLife, Surroundings, live_check, live_vetoed
from engine.limits import Limits
from engine.line import (
    Answer,
    Asked,
    Crashed,
    Line,
    News,
    Question,
    Result,
    Retries,
    SawNew,
    StopAsked,
    Waits,
    WantsNote,
    WantsPassage,
    WantsProgram,
    WantsToBegin,
)
from engine.programs import EndGroup, Programs, end_leftovers
from engine.report import Bug, Outcome, Report, StepReport
from engine.schedule import Passages, Schedule
from engine.scribe import Scribe
from engine.secrets import redact, told
from engine.state import APPROVAL_NOTE, PROGRAM_NOTE, QUIET_NOTE, RUN_NOTE
from engine.step import Check, StepId
from engine.stop import Stop
from engine.waiting import Clock
from engine.workers import Channel, Workers

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
    return _Run(
        graph,
        Surroundings(
            look, act, clock, Line(workers), limits or Limits(), approval, programs or Programs(), guards or {}
        ),
        journal,
        workers,
        sink,
        stop or Stop(),
        bug_log,
    ).go(end_group, ended)


class _Run(Generic[Look, Act]):
    """The one thread's side of a run."""

    def __init__(
        self,
        graph: Graph[Look, Act],
        around: Surroundings[Look, Act],
        journal: Journal,
        workers: Workers,
        sink: events.Sink,
        stop: Stop,
        bug_log: Callable[[str], str] | None,
    ) -> None:
        self._graph = graph
        self._around = around
        self._journal = journal
        self._scribe = Scribe(journal)
        self._workers = workers
        self._sink = sink
        self._stop = stop
        self._bug_log = bug_log
        self._schedule = Schedule(graph, around.limits)
        self._passages = Passages(graph)
        self._ledger = Ledger(graph, around.clock)
        self._queued: dict[StepId, Channel[Answer]] = {}
        self._begun_any = False
        self._programs_any = False
        self._stop_told = 0
        self._bug: Bug | None = None

    def go(self, end_group: EndGroup | None, ended: tuple[str, ...]) -> Report:
        """The whole run."""
        line, programs = self._around.line, self._around.programs
        unsubscribe = self._stop.subscribe(lambda: line.tell(StopAsked()))
        try:
            self._open(end_group, ended)
            programs.bind(lambda value: line.ask(WantsProgram(value)))
            self._work()
        finally:
            programs.bind(None)
            unsubscribe()
            line.close()
        report = self._ledger.report(
            self._journal.run, interrupted=self._stop.requested, bug=self._bug, failure=self._scribe.failure
        )
        self._emit(events.RunEnded(self._now(), report))
        return report if self._bug is None else replace(report, bug=self._bug)  # the view may fail at this very event

    # --- before anything runs ---

    def _open(self, end_group: EndGroup | None, ended: tuple[str, ...]) -> None:
        state = self._journal.state
        notes = [Note("", RUN_NOTE, self._journal.run)]
        if self._around.approval is not None and self._around.approval.to_text() not in state.approvals:
            notes.append(Note("", APPROVAL_NOTE, self._around.approval.to_text()))
        self._journal.append(*notes)
        journal = self._journal
        self._emit(events.RunStarted(self._now(), journal.run, self._graph.ids, journal.cut_bytes, journal.older))
        for program in (*ended, *(end_leftovers(state.programs, end_group) if end_group is not None else ())):
            self._emit(events.LeftoverEnded(self._now(), program))
        for name, begin in state.in_flight.items():
            item = self._graph[StepId(name)] if name in self._graph else None
            gone = item is None
            changed = item is not None and begun_with_others(item, begin.inputs)
            self._emit(events.OpenBegin(self._now(), StepId(name), begin.run, begin.at, gone, changed))

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
        if self._programs_any and not self._schedule.running and self._scribe.failure is None:
            self._scribe.write(Note("", QUIET_NOTE, ""))
            self._commit()

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
                life = StepLife(item, self._around, resumed=name in state.in_flight, notes=state.notes_of(name))
                result = life.live()
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
                self._answer(message.question, message.answer)
            else:
                self._heed(message)
            message = inbox.get(0)
        self._commit()

    def _answer(self, question: Question, channel: Channel[Answer]) -> None:
        refusal = self._refusal(question)
        if refusal is not None:
            channel.put(Answer(refusal))
            return
        match question:
            case WantsToBegin(step, inputs, hazard, attempt):
                self._begun_any = True
                self._scribe.write(Begin(step, inputs))
                self._scribe.answer(channel, lambda: self._emit(events.StepBegun(self._now(), step, hazard, attempt)))
            case WantsNote(step, key, value):
                self._scribe.write(Note(step, key, value))
                self._scribe.answer(channel, lambda: self._emit(events.StepNoted(self._now(), step, key, told(value))))
            case WantsProgram(value):
                self._programs_any = True
                self._scribe.write(Note("", PROGRAM_NOTE, value))
                self._scribe.answer(channel, lambda: None)
            case WantsPassage(step, system):
                if self._passages.ask(step, system):
                    channel.put(Answer())
                    return
                self._queued[step] = channel
                what = f"{self._passages.holder(system)} to leave {system} in peace"
                self._emit(events.StepWaiting(self._now(), step, what, None))

    def _refusal(self, question: Question) -> BlackstartError | None:
        """Why this is not written any more. Calls that run get their grace: they may still note what they have learned."""
        if self._stop.requested and isinstance(question, WantsToBegin | WantsPassage):
            return Interrupted("told to stop before it began")
        return self._scribe.refusal()

    def _commit(self) -> None:
        """What was asked for is on the disk, or the run stops."""
        self._scribe.commit()
        if self._scribe.failure is not None:
            self._wind_down(self._scribe.failure.what)

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
                self._record_bug(step, error)
                self._finish(self._ledger.line(step, Outcome.FAILED, "a bug of ours: see the run's log"))
            case StopAsked():
                self._heed_stop()

    # --- ends ---

    def _end(self, result: Result) -> None:
        refuses = not self._begun_any and self._graph.stops_a_step(result.step)
        error = why(self._graph[result.step], result, refuses=refuses)
        detail = told(result.seen.detail) if error is None else error.what
        if result.outcome is Outcome.BLOCKED:
            causes = self._schedule.vetoed(result.step)
            line = self._ledger.line(result.step, Outcome.BLOCKED, f"after {', '.join(causes)}", blocked_by=causes)
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
        following = self._passages.leave(line.id, item.system) if is_step(item) else None
        if following is not None:
            self._queued.pop(following).put(Answer())
        for name, causes in self._schedule.end(line.id, done=line.done):
            if any(map(self._ledger.failed, causes)):
                blocked = self._ledger.line(name, Outcome.BLOCKED, f"after {', '.join(causes)}", blocked_by=causes)
                self._ledger.enter(blocked)
                self._emit(events.StepEnded(self._now(), blocked))

    def _record_bug(self, where: str, error: Exception) -> None:
        text = redact("".join(traceback.format_exception(error)))
        try:
            written = self._bug_log(text) if self._bug_log is not None else ""
        except OSError as problem:
            written = f"nowhere: {problem}"
        if self._bug is None:
            self._bug = Bug(where, type(error).__name__, written, text)
        self._wind_down(f"a bug of ours in {where}")
        self._emit(events.BugFound(self._now(), where, type(error).__name__, written))

    def _wind_down(self, reason: str) -> None:
        """Stop as at a first signal."""
        if not self._stop.requested:
            self._stop.request(reason)

    def _heed_stop(self) -> None:
        """Once per level: say so, and send home who queues for a passage."""
        if self._stop.level <= self._stop_told:
            return
        self._stop_told = self._stop.level
        self._emit(events.Stopping(self._now(), self._stop.level, self._stop.reason))
        for name in self._passages.clear():
            self._queued.pop(name).put(Answer(Interrupted("told to stop before it began")))

    def _now(self) -> float:
        return self._around.clock.monotonic()

    def _emit(self, event: events.Event) -> None:
        """To the sink. A sink that fails is a bug of ours: the run stops in order, and goes on unseen until then."""
        try:
            self._sink(event)
        except Exception as error:  # noqa: BLE001 - recorded as a bug, with its traceback
            self._sink = events.nowhere
            self._record_bug(f"the view, at {type(event).__name__}", error)
