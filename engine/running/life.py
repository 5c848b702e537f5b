"""The life of one step in one run: look, decide, clear the way, begin, act, look until the world agrees. Runs on a worker.

It writes nothing itself: what must be on the disk goes through the Exchange. Knows no other step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from engine.approval import Approval, consented, needed_act, require
from engine.errors import (
    BlackstartError,
    CouldNotLook,
    DiskRefused,
    GuardRefused,
    Interrupted,
    JournalBusy,
    JournalDamaged,
    NotReady,
    OurError,
    StillChanging,
    TransientError,
)
from engine.files.disk import own_disk
from engine.limits import Limits
from engine.probe import Condition, Probe, unknown
from engine.programs import Programs
from engine.report import Outcome
from engine.running.endings import inputs_of
from engine.running.line import Exchange, Result, Retries, SawNew, Waits, WantsNote, WantsPassage, WantsToBegin
from engine.running.survey import look_once
from engine.step import Check, Hazard, Step, StepId
from engine.waiting import Clock, Deadline, pause

Look = TypeVar("Look")
Act = TypeVar("Act")

NEEDY = (Condition.MISSING, Condition.DRIFTED)


@dataclass(frozen=True)
class Surroundings(Generic[Look, Act]):
    """What every life of one run shares. `guards`: per system, the check that must say yes before anything is disturbed."""

    look: Look
    act: Act
    clock: Clock
    line: Exchange
    limits: Limits
    approval: Approval | None
    programs: Programs
    guards: Mapping[str, Check[Look]] = field(default_factory=dict)


class Sight(Generic[Look, Act]):
    """Looks at one step or check, again and again; tells what is new and keeps the limits of waiting."""

    def __init__(self, item: Step[Look, Act] | Check[Look], around: Surroundings[Look, Act], teller: StepId) -> None:
        self._item = item
        self._around = around
        self._teller = teller
        self._waits_for = ""
        self.waits = 0
        self.last = unknown("not looked at yet")

    def look(self) -> Probe:
        """One look; a transient error is UNKNOWN. Raises every other error of ours."""
        with self._around.programs.looking():
            seen = look_once(self._item, self._around.look)
        if seen != self.last:
            self._around.line.tell(SawNew(self._teller, seen))
        self.last = seen
        return seen

    def wait(self, what: str, limit: Deadline, since: Deadline) -> None:
        """Sleep until the next look; `limit` is what the wait may last at most, `since` paces it."""
        self.waits += 1
        if what != self._waits_for:
            self._waits_for = what
            self._around.line.tell(Waits(self._teller, what, limit.left_s))
        step = self._around.limits.pace.after(since.waited_s)
        pause(self._around.clock, min(step, limit.left_s) or step)

    def deadline(self, seconds: float) -> Deadline:
        """So many seconds from now."""
        return Deadline(self._around.clock, seconds)


class StepLife(Generic[Look, Act]):
    """One step from its first look to its end. `resumed`: an earlier run began it and did not end it."""

    def __init__(self, step: Step[Look, Act], around: Surroundings[Look, Act], *, resumed: bool) -> None:
        self._step = step
        self._around = around
        self._sight = Sight(step, around, step.id)
        self._notes = _Notes(step.id, around.line)
        self._resumed = resumed
        self._open = resumed  # an act may have happened whose effect is not to be seen yet
        self._has_passage = False
        self._tries = 0

    def live(self) -> Result:
        """Do all of it; answers how it ended. Raises only what is not an error of ours."""
        try:
            seen = self._converge()
        except Interrupted as error:
            return self._result(Outcome.INTERRUPTED, error)
        except BlackstartError as error:
            return self._result(Outcome.FAILED, error)
        self._open = False
        if seen.held:
            return self._result(Outcome.HELD)
        return self._result(Outcome.CHANGED if self._tries else Outcome.OK)

    def _result(self, outcome: Outcome, error: OurError | None = None) -> Result:
        return Result(self._step.id, outcome, self._sight.last, error, self._tries, self._open, self._resumed)

    def _converge(self) -> Probe:
        """Act until the world agrees. After a transient error the world decides whether the act is tried again."""
        trouble: TransientError | None = None
        while True:
            seen = self._decide()
            if seen.condition in NEEDY and trouble is not None and self._tries >= self._around.limits.tries:
                raise trouble
            if seen.condition in NEEDY:
                seen, hazard = self._clear_the_way(seen)
            if seen.condition is Condition.SATISFIED:
                return seen
            self._tries += 1
            self._around.line.ask(WantsToBegin(self._step.id, inputs_of(self._step), hazard, self._tries))
            self._open = True
            try:
                self._act(seen)
            except TransientError as error:
                trouble = error
                self._around.line.tell(Retries(self._step.id, self._tries, error.what))
                pause(self._around.clock, self._around.limits.retry_s(self._tries))
                continue
            return self._await_ready()

    def _act(self, seen: Probe) -> None:
        try:
            with own_disk():
                self._step.apply(self._around.act, seen, self._notes)
        except (TransientError, JournalDamaged, JournalBusy, DiskRefused, CouldNotLook, StillChanging, NotReady):
            raise  # what was asked for may still come true; another machine's Lease says nothing of what we did before
        except BlackstartError:
            self._open = False  # the world answered no: nothing is under way
            raise

    def _decide(self) -> Probe:
        """Look until the answer allows a decision. With a begin open, a need must be seen twice, `settle_s` apart."""
        whole = self._sight.deadline(self._step.ready_s)
        dark: Deadline | None = None
        settled: Deadline | None = None
        while True:
            seen = self._sight.look()
            if seen.condition is Condition.SATISFIED:
                return seen
            if seen.condition is Condition.UNKNOWN:
                dark = dark or self._sight.deadline(self._step.sight_s)
                if dark.passed:
                    raise CouldNotLook(f"could not look: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
                self._sight.wait(f"sight: {seen.detail}", dark, dark)
                continue
            dark = None
            if seen.condition is Condition.CHANGING:
                settled = None
                if whole.passed:
                    raise StillChanging(f"still changing: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
                self._sight.wait(seen.detail, whole, whole)
                continue
            if not self._open or (settled is not None and settled.passed):
                return seen
            settled = settled or self._sight.deadline(self._step.settle_s)
            self._around.line.tell(Waits(self._step.id, "the world to settle", settled.left_s))
            pause(self._around.clock, settled.left_s)

    def _clear_the_way(self, seen: Probe) -> tuple[Probe, Hazard]:
        """Before something is disturbed: nobody else at it, the guard's yes, a fresh look, a person's consent to that."""
        hazard = self._step.hazard(seen)
        if hazard is Hazard.NONE:
            return seen, hazard
        system = self._step.system
        if not self._has_passage:
            self._around.line.ask(WantsPassage(self._step.id, system))
            self._has_passage = True
        guard = self._around.guards.get(system)
        while True:
            guarded = self._step.guarded(seen)
            seen = self._decide_guarded(guard if guarded else None)
            if seen.condition is Condition.SATISFIED:
                return seen, Hazard.NONE
            if guarded or not self._step.guarded(seen):
                break  # else it has become what the guard was not asked for
        hazard = self._step.hazard(seen)
        require(needed_act(self._step, seen, hazard), self._around.approval, self._around.clock.now())
        return seen, hazard

    def _decide_guarded(self, guard: Check[Look] | None) -> Probe:
        """The guard's yes, then a fresh look. Where that had to wait for the world, the yes is old: it is asked for again."""
        whole = self._sight.deadline(self._step.ready_s)
        while True:
            if guard is not None:
                self._await_guard(guard)
            waits = self._sight.waits
            seen = self._decide()
            if guard is None or self._sight.waits == waits or seen.condition is Condition.SATISFIED:
                return seen
            if whole.passed:
                raise StillChanging(f"it does not hold still: {seen.detail}", evidence=seen.evidence, hint=seen.hint)

    def _await_guard(self, guard: Check[Look]) -> None:
        sight = Sight(guard, self._around, self._step.id)
        limit = sight.deadline(guard.sight_s)
        while sight.look().condition is not Condition.SATISFIED:
            if limit.passed:
                raise GuardRefused(
                    f"{guard.id} says no: {sight.last.detail}",
                    evidence=sight.last.evidence,
                    hint=sight.last.hint or "nothing was disturbed",
                )
            sight.wait(f"{guard.id}: {sight.last.detail}", limit, limit)

    def _await_ready(self) -> Probe:
        """After the act: look until satisfied, at most `ready_s`; lost sight may add `sight_s`."""
        ready = self._sight.deadline(self._step.ready_s)
        dark: Deadline | None = None
        while True:
            last_time = ready.passed
            seen = self._sight.look()
            if seen.condition is Condition.SATISFIED:
                return seen
            dark = (dark or self._sight.deadline(self._step.sight_s)) if seen.condition is Condition.UNKNOWN else None
            if last_time and (dark is None or dark.passed):
                raise _not_ready(seen, self._step.ready_s)
            self._sight.wait(seen.detail, dark if last_time and dark is not None else ready, ready)


def _not_ready(seen: Probe, ready_s: float) -> BlackstartError:
    if seen.condition is Condition.UNKNOWN:
        return CouldNotLook(f"it was done, and then nothing could be seen: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
    if seen.condition is Condition.CHANGING:
        return StillChanging(f"still changing {ready_s:g} s after the act: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
    return NotReady(f"{ready_s:g} s after the act the world does not agree: {seen.detail}", evidence=seen.evidence, hint=seen.hint)


class _Notes:
    """The notes of one step."""

    def __init__(self, step: StepId, line: Exchange) -> None:
        self._step = step
        self._line = line

    def put(self, key: str, value: str) -> None:
        """Return when the note is on the disk."""
        self._line.ask(WantsNote(self._step, key, value))


def live_check(check: Check[Look], around: Surroundings[Look, Act]) -> Result:
    """The life of a check: it waits for sight and for what is changing, at most `sight_s`, then says yes or no.

    A no whose risk a person has consented to stops nobody, and says so.
    """
    sight: Sight[Look, Act] = Sight(check, around, check.id)
    limit = sight.deadline(check.sight_s)
    try:
        while True:
            last_time = limit.passed
            seen = sight.look()
            if seen.condition is Condition.SATISFIED:
                return Result(check.id, Outcome.HELD if seen.held else Outcome.OK, seen)
            if seen.condition in NEEDY or last_time:
                if consented(check, seen, around.approval, around.clock.now()):
                    return Result(check.id, Outcome.OK, replace(seen, detail=f"passed by consent, although {seen.detail}"))
                return Result(check.id, Outcome.FAILED, seen)
            sight.wait(seen.detail, limit, limit)
    except Interrupted as error:
        return Result(check.id, Outcome.INTERRUPTED, sight.last, error)
    except BlackstartError as error:
        return Result(check.id, Outcome.FAILED, sight.last, error)


def live_vetoed(step: Step[Look, Act], around: Surroundings[Look, Act], *, resumed: bool) -> Result:
    """The life of a standing step that a check forbids to act: one look. Satisfied it is as good as any other, else blocked."""
    sight: Sight[Look, Act] = Sight(step, around, step.id)
    try:
        seen = sight.look()
    except Interrupted as error:
        return Result(step.id, Outcome.INTERRUPTED, sight.last, error, resumed=resumed)
    except BlackstartError:
        return Result(step.id, Outcome.BLOCKED, sight.last, resumed=resumed)
    if seen.condition is not Condition.SATISFIED:
        return Result(step.id, Outcome.BLOCKED, seen, resumed=resumed)
    return Result(step.id, Outcome.HELD if seen.held else Outcome.OK, seen, resumed=resumed)
