"""The journal folded: what is in flight, what was noted, how each step last ended. Never edited; looks at nothing, cuts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.sealed.entries import Begin, End, Line, Note

RUN_NOTE = "run"
APPROVAL_NOTE = "approval"
PROGRAM_NOTE = "program"
QUIET_NOTE = "quiet"  # a run ended in order: no program of it is left


@dataclass(frozen=True)
class InFlight:
    """A step that was begun and not ended: its act may have happened, in part or whole."""

    step: str
    inputs: str
    run: str
    at: float


@dataclass(frozen=True)
class LastOutcome:
    """How a step last ended: the outcome's word, when (wall time) and in which run."""

    outcome: str
    detail: str
    run: str
    at: float


@dataclass(frozen=True)
class State:
    """All that the journal remembers."""

    lines: int = 0
    last_run: str = ""
    in_flight: Mapping[str, InFlight] = field(default_factory=lambda: MappingProxyType({}))
    last: Mapping[str, LastOutcome] = field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    approvals: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()

    def notes_of(self, step: str) -> Mapping[str, str]:
        """Notes of the step's open or last begin."""
        return self.notes.get(step, MappingProxyType({}))


def fold(lines: Iterable[Line]) -> State:
    """Read the lines in their order. Notes live from a begin to the next begin that follows an end."""
    in_flight: dict[str, InFlight] = {}
    last: dict[str, LastOutcome] = {}
    notes: dict[str, dict[str, str]] = {}
    approvals: list[str] = []
    programs: list[str] = []
    last_run, count = "", 0
    for line in lines:
        count += 1
        last_run = line.run
        match line.entry:
            case Begin(step=step, inputs=inputs):
                if step not in in_flight:
                    notes[step] = {}
                in_flight[step] = InFlight(step, inputs, line.run, line.at)
            case End(step=step, outcome=outcome, detail=detail, in_flight=still):
                last[step] = LastOutcome(outcome, detail, line.run, line.at)
                if not still:
                    in_flight.pop(step, None)
            case Note(step="", key=key, value=value):
                if key == APPROVAL_NOTE:
                    approvals.append(value)
                elif key == PROGRAM_NOTE:
                    programs.append(value)
                elif key == QUIET_NOTE:
                    programs.clear()
            case Note(step=step, key=key, value=value):
                notes.setdefault(step, {})[key] = value
            case _:
                pass
    return State(count, last_run, in_flight, last, notes, tuple(approvals), tuple(programs))
