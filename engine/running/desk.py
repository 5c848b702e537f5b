"""Where steps ask before they act: what they ask for is on the disk before they hear yes. Knows no thread but the one it is on."""

from __future__ import annotations

from engine import events
from engine.errors import Interrupted, OurError
from engine.running.line import Answer, Question, WantsNote, WantsPassage, WantsProgram, WantsToBegin
from engine.running.schedule import Passages
from engine.running.scribe import Scribe
from engine.running.teller import Teller
from engine.sealed.entries import Begin, Note
from engine.secrets import told
from engine.state import PROGRAM_NOTE, QUIET_NOTE
from engine.step import StepId
from engine.stop import Stop
from engine.workers import Channel

_STOPPED = "told to stop before it began"


class Desk:
    """`begun` once a step was let begin; who asks for a passage that another holds is kept until it is free."""

    def __init__(self, passages: Passages, scribe: Scribe, teller: Teller, stop: Stop) -> None:
        self._passages = passages
        self._scribe = scribe
        self._teller = teller
        self._stop = stop
        self._queued: dict[StepId, Channel[Answer]] = {}
        self._programs = False
        self.begun = False

    def answer(self, question: Question, channel: Channel[Answer]) -> None:
        """Write what is asked for, and answer when it is on the disk; at once where nothing is written, or it is refused."""
        refusal = self._refusal(question)
        if refusal is not None:
            channel.put(Answer(refusal))
            return
        now, emit = self._teller.now, self._teller.emit
        match question:
            case WantsToBegin(step, inputs, hazard, attempt):
                self.begun = True
                self._scribe.write(Begin(step, inputs))
                self._scribe.answer(channel, lambda: emit(events.StepBegun(now(), step, hazard, attempt)))
            case WantsNote(step, key, value):
                self._scribe.write(Note(step, key, value))
                self._scribe.answer(channel, lambda: emit(events.StepNoted(now(), step, key, told(value))))
            case WantsProgram(value):
                self._programs = True
                self._scribe.write(Note("", PROGRAM_NOTE, value))
                self._scribe.answer(channel, lambda: None)
            case WantsPassage(step, system):
                if self._passages.ask(step, system):
                    channel.put(Answer())
                    return
                self._queued[step] = channel
                what = f"{self._passages.holder(system)} to leave {system} in peace"
                emit(events.StepWaiting(now(), step, what, None))

    def _refusal(self, question: Question) -> OurError | None:
        """Why this is not written any more. Calls that run get their grace: they may still note what they have learned."""
        if self._stop.requested and isinstance(question, WantsToBegin | WantsPassage):
            return Interrupted(_STOPPED)
        return self._scribe.refusal()

    def commit(self) -> None:
        """What was asked for is on the disk, or the run stops."""
        self._scribe.commit()
        if self._scribe.failure is not None:
            self._teller.wind_down(self._scribe.failure.what)

    def leave(self, step: StepId, system: str) -> None:
        """The step disturbs the system no more: who waited longest for that may pass."""
        following = self._passages.leave(step, system)
        if following is not None:
            self._queued.pop(following).put(Answer())

    def send_home(self) -> None:
        """Nobody gets a passage any more."""
        for name in self._passages.clear():
            self._queued.pop(name).put(Answer(Interrupted(_STOPPED)))

    def close(self) -> None:
        """Every step has ended, and so has every program that was told of: the next run need not look for them."""
        if self._programs and self._scribe.failure is None:
            self._scribe.write(Note("", QUIET_NOTE, ""))
            self.commit()
