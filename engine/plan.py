"""What a run would do, seen without changing anything and without waiting. Knows no journal.

A step is not looked at while what it needs is not as it should be: its line says after what it will be known.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from engine.approval import ApprovedAct, needed_act, needed_consent
from engine.errors import EXIT_OK, EXIT_PLAN_HAS_CHANGES, BlackstartError
from engine.graph import Graph, is_check, is_step
from engine.probe import Condition, Probe
from engine.running.endings import inputs_of
from engine.running.survey import Found, find, survey
from engine.step import Check, Hazard, Severity, Step, StepId
from engine.workers import Workers

Look = TypeVar("Look")
Act = TypeVar("Act")


class Planned(Enum):
    """What a run would do about a step, or what a check says."""

    NOOP = "noop"
    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"  # somebody is at it
    UNKNOWN = "unknown"  # could not look
    KNOWN_AFTER = "known after"
    REFUSED = "refused"  # a blocking check says no, or the look was answered with no
    WARNING = "warning"  # an advisory check does not say yes


_VERDICTS = {
    Condition.SATISFIED: Planned.NOOP,
    Condition.MISSING: Planned.CREATE,
    Condition.DRIFTED: Planned.UPDATE,
    Condition.CHANGING: Planned.WAIT,
    Condition.UNKNOWN: Planned.UNKNOWN,
}


@dataclass(frozen=True)
class PlanLine:
    """One step. `after` names what must be done first (with KNOWN_AFTER); `act` is what would need an approval.

    A check's `act` is what may be consented to instead of mending it: what is behind it is looked at all the same.
    """

    id: StepId
    title: str
    verdict: Planned
    detail: str = ""
    evidence: tuple[str, ...] = ()
    after: tuple[StepId, ...] = ()
    hazard: Hazard = Hazard.NONE
    act: ApprovedAct | None = None
    inputs: str = ""
    held: bool = False
    hint: str = ""

    @property
    def settled(self) -> bool:
        """Whether what needs this can be looked at."""
        return self.verdict in (Planned.NOOP, Planned.WARNING)

    @property
    def passable(self) -> bool:
        """Whether this is a check that says no, and consent would pass it."""
        return self.verdict is Planned.REFUSED and self.act is not None


@dataclass(frozen=True)
class Plan:
    """All lines, needs first."""

    lines: tuple[PlanLine, ...]

    def __getitem__(self, name: str) -> PlanLine:
        """The line of one step. KeyError when there is none."""
        for line in self.lines:
            if line.id == name:
                return line
        raise KeyError(name)

    @property
    def changes(self) -> tuple[PlanLine, ...]:
        """The lines that are not as they should be."""
        return tuple(line for line in self.lines if not line.settled)

    @property
    def acts(self) -> tuple[ApprovedAct, ...]:
        """The acts that a person must consent to."""
        return tuple(line.act for line in self.lines if line.act is not None)

    @property
    def stopped(self) -> bool:
        """Whether a line stands in the way that no consent passes: refused, or not looked at."""
        return any(line.verdict in (Planned.REFUSED, Planned.UNKNOWN) and not line.passable for line in self.lines)

    @property
    def digest(self) -> str:
        """What `--approve` takes: the same for the same ids, verdicts, acts and inputs."""
        rows = [
            [line.id, line.verdict.value, line.hazard.value, line.act.identity if line.act else "", line.inputs]
            for line in self.lines
        ]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]

    @property
    def exit_code(self) -> int:
        """0 when nothing is to do, 2 when something is."""
        return EXIT_PLAN_HAS_CHANGES if self.changes else EXIT_OK


def plan(graph: Graph[Look, Act], look: Look, *, workers: Workers | None = None, at_once: int = 8) -> Plan:
    """Look once at every step whose needs are as they should be. Changes nothing, waits for nothing, writes nothing.

    With `workers`, up to `at_once` looks run at the same time. Errors of ours become lines, except Interrupted;
    that, and what is a bug, is raised.
    """
    lines: dict[StepId, PlanLine] = {}

    def visit(name: StepId) -> PlanLine:
        after = tuple(need for need in graph.needs(name) if not (lines[need].settled or lines[need].passable))
        item = graph[name]
        if after and is_step(item) and item.standing and all(is_check(graph[need]) for need in after):
            standing = _line(item, look)
            if standing.verdict is Planned.NOOP:
                return standing
        if after:
            return PlanLine(name, item.title, Planned.KNOWN_AFTER, after=after, inputs=inputs_of(item))
        return _line(item, look)

    survey(graph, visit, lines.__setitem__, workers=workers, at_once=at_once)
    return Plan(tuple(lines[name] for name in graph.ids))


def _line(item: Step[Look, Act] | Check[Look], look: Look) -> PlanLine:
    found = find(item, look)
    verdict, hazard, act = _VERDICTS[found.seen.condition], Hazard.NONE, None
    if is_step(item) and verdict in (Planned.CREATE, Planned.UPDATE):
        try:
            hazard = item.hazard(found.seen)
            act = needed_act(item, found.seen, hazard)
        except BlackstartError as error:
            found, hazard = Found.no(error), Hazard.NONE
    seen = found.seen
    if found.error is not None:
        verdict = Planned.REFUSED if is_step(item) else _says_no(item)
    elif is_check(item) and verdict is not Planned.NOOP:
        verdict = _says_no(item, seen)
        act = needed_consent(item, seen) if verdict is Planned.REFUSED else None
    return PlanLine(
        item.id,
        item.title,
        verdict,
        seen.detail,
        seen.evidence,
        hazard=hazard,
        act=act,
        inputs=inputs_of(item),
        held=seen.held,
        hint=seen.hint,
    )


def _says_no(item: Step[Look, Act] | Check[Look], seen: Probe | None = None) -> Planned:
    advisory = is_check(item) and (item.severity if seen is None else item.severity_of(seen)) is not Severity.BLOCKING
    return Planned.WARNING if advisory else Planned.REFUSED
