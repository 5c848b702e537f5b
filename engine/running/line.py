"""The line from a step's worker to the one thread that writes the journal and emits events. Knows no order of steps.

`ask` waits for the answer (what was asked for is on the disk then); `tell` does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Interrupted, OurError
from engine.probe import Probe
from engine.report import Outcome
from engine.step import Hazard, StepId
from engine.workers import Channel, Workers


@dataclass(frozen=True)
class WantsToBegin:
    """Write *begin*; the act follows."""

    step: StepId
    inputs: str
    hazard: Hazard
    attempt: int


@dataclass(frozen=True)
class WantsPassage:
    """Wait until no other step disturbs this system."""

    step: StepId
    system: str


@dataclass(frozen=True)
class WantsNote:
    """Write a note."""

    step: StepId
    key: str
    value: str


@dataclass(frozen=True)
class WantsProgram:
    """Write down a program that is about to start."""

    value: str


@dataclass(frozen=True)
class SawNew:
    """A look answered something new."""

    step: StepId
    seen: Probe


@dataclass(frozen=True)
class Waits:
    """The step waits for this, at most so many seconds."""

    step: StepId
    what: str
    limit_s: float | None


@dataclass(frozen=True)
class Retries:
    """The act ended in a transient error."""

    step: StepId
    attempt: int
    what: str


@dataclass(frozen=True)
class Result:
    """How a step's life ended. `in_flight`: its begin is open and its act may still come true."""

    step: StepId
    outcome: Outcome
    seen: Probe
    error: OurError | None = None
    tries: int = 0
    in_flight: bool = False
    resumed: bool = False


@dataclass(frozen=True)
class Crashed:
    """Something that is not one of our errors came out of a step: a bug, or the end of the process."""

    step: StepId
    error: BaseException


@dataclass(frozen=True)
class StopAsked:
    """Somebody asked to stop (sent by the Stop itself, maybe from a signal handler)."""


Question = WantsToBegin | WantsPassage | WantsNote | WantsProgram
News = SawNew | Waits | Retries | Result | Crashed | StopAsked


@dataclass(frozen=True)
class Asked:
    """A question with the channel that its answer goes to."""

    question: Question
    answer: Channel[Answer]


@dataclass(frozen=True)
class Answer:
    """Yes, or the error that the asker must raise."""

    refusal: OurError | None = None


class Exchange:
    """One side of the talk; made by the run, used by all workers."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.inbox: Channel[Asked | News] = workers.channel()
        self._closed = False

    def ask(self, question: Question) -> None:
        """Put a question and wait for the yes. Raises the refusal, or Interrupted when the run is over."""
        channel: Channel[Answer] = self._workers.channel()
        self.inbox.put(Asked(question, channel))
        if self._closed:
            raise Interrupted("the run is over")
        answer = channel.get()
        if answer is not None and answer.refusal is not None:
            raise answer.refusal

    def tell(self, news: News) -> None:
        """Say something that needs no answer."""
        self.inbox.put(news)

    def close(self) -> None:
        """Nobody listens any more: whoever asks is told that the run is over. For the listening side."""
        self._closed = True
        while (message := self.inbox.get(0)) is not None:
            if isinstance(message, Asked):
                message.answer.put(Answer(Interrupted("the run is over")))
