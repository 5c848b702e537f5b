"""Makes the evidence of a run out of its report, its moments and its journal. Writes nothing, and knows no page."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cluster.backups.proofs import Proven
from cluster.course import HouseGraph
from console.ending import drilled, outcome_of
from console.kit.nouns import FromKit
from console.report.moments import Doing, Moments, Span
from console.report.nouns import SCHEMA, ClaimLine, Ending, Evidence, JournalPart, StepLine
from console.report.path import after, critical, ends, ran, shares
from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_OK, BlackstartError
from engine.graph import is_check
from engine.report import Outcome, Report, StepReport
from engine.sealed.excerpt import Excerpt
from engine.text.words import number
from house.model import House
from house.repository.backups.left_out import left_out
from rehearsal.outcome import DrillOutcome as Drill

_CHECKOUT = Path(__file__).resolve().parents[2]
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Ran:
    """A run that has ended: of which house and verb, what came of it, and when it began and ended (seconds since the epoch)."""

    house: House
    verb: str
    run: str
    began: float
    ended: float
    graph: HouseGraph
    report: Report
    moments: Moments
    exit_code: int
    drill: Drill | None = None
    journal: Excerpt | None = None
    proven: tuple[Proven, ...] = ()
    kit: FromKit | None = None


def evidence_of(of: Ran) -> Evidence:
    """Everything that is known of it."""
    report, spans = of.report, of.moments.of
    path = critical(report.steps, of.graph.needs) if spans else ()
    return Evidence(
        schema=SCHEMA, version=version(), house=of.house.name, house_id=of.house.id, simulated=of.house.simulated,
        verb=of.verb, run=of.run, started=moment(of.began), ended=moment(of.ended), seconds=round(report.seconds, 3),
        verdict=verdict_of(report, of.exit_code, of.drill), counts=report.counts, claims=tuple(_claims(of)),
        steps=tuple(_lines(of, frozenset(path))), path=path, path_s=shares(path, spans, report.seconds) if path else {},
        not_looked_at=not_looked_at(of.house, report),
        journal=part_of(of.house, of.journal) if of.journal is not None else None,
        drill=of.drill, kit=of.kit,
    )  # fmt: skip


def part_of(house: House, journal: Excerpt) -> JournalPart:
    """Where the run's lines stand."""
    return JournalPart(house.id, len(journal.lines), journal.before, journal.end, journal.withheld)


def verdict_of(report: Report, code: int, drill: Drill | None = None) -> Ending:
    """The word and the sentence that a page begins with."""
    told = ", ".join(f"{count} {word}" for word, count in report.counts.items() if count)
    sentence = f"{told} in {report.seconds:.1f} s."
    if report.bug is not None:
        sentence = f"A bug of Blackstart's in {report.bug.step}: {report.bug.kind}. In all {sentence}"
    elif report.failure is not None:
        sentence = f"{'; '.join((report.failure.what, *report.failure.evidence))}. In all {sentence}"
    elif report.root_causes:
        sentence = f"{report.root_causes[0].id}: {_first(report.root_causes[0])}. In all {sentence}"
    elif report.held:
        sentence = f"{'; '.join(step.detail for step in report.held)}. In all {sentence}"
    if drill is not None and drilled(report, drill):
        tone = {"PASS": "good", "FAIL": "bad"}.get(drill.verdict.value, "mixed")
        return Ending(drill.verdict.value, tone, "; ".join(drill.reasons) or sentence, code)
    mixed = code in (EXIT_HELD, EXIT_DRIFT) or (report.interrupted and report.failure is None and report.bug is None)
    tone = "good" if code == EXIT_OK else "mixed" if mixed else "bad"
    return Ending(_word(report), tone, sentence, code)


def _word(report: Report) -> str:
    if report.verb == "verify":
        drift = {EXIT_OK: "as wanted", EXIT_HELD: "as wanted, and claims are held", EXIT_DRIFT: "drift"}
        return drift.get(report.exit_code, "could not look")
    return {"done": "done", "held": "done, and claims are held"}.get(outcome_of(report), outcome_of(report))


def _first(step: StepReport) -> str:
    error = step.error or BlackstartError(step.detail or "failed")
    return error.what.rstrip(".")


def _lines(of: Ran, path: frozenset[str]) -> list[StepLine]:
    ended = ends(of.report.steps)
    return [
        StepLine(
            step.id, step.title, step.id in of.graph and is_check(of.graph[step.id]), _told_outcome(step), step.detail,
            step.evidence, step.error, round(step.started, 3), round(step.seconds, 3), step.tries, step.resumed,
            step.blocked_by, (after(step, ended, of.graph.needs) or "") if ran(step) else "", step.id in path,
            tuple(of.moments.of.get(step.id, [Span(Doing.LOOK, 0.0, round(step.seconds, 3))] if ran(step) else [])),
        )
        for step in of.report.steps
    ]  # fmt: skip


def _told_outcome(step: StepReport) -> str:
    return "warning" if step.advisory and step.outcome is Outcome.FAILED else step.outcome.value


def _claims(of: Ran) -> list[ClaimLine]:
    lines = []
    for one in of.proven:
        if one.run == of.run and one.told is not None:
            proof, made = one.told, as_epoch(one.told.point)
            lines.append(ClaimLine(
                proof.kind.value, proof.key, proof.repository_id, proof.snapshot_id, proof.point, proof.depth, proof.proof,
                proof.files, None if made is None else round(of.began - made, 1), round(one.at - of.began, 1),
            ))  # fmt: skip
    return lines


def not_looked_at(house: House, report: Report) -> tuple[str, ...]:
    """What nobody has seen: left out of Git's part, never begun, and whatever could not be looked at."""
    unseen = list(left_out(house.unaudited, house.second_backups, house.not_followed, house.data.charts))
    if house.unread:
        unseen.append(f"{number(len(house.unread), 'part')} of the repository could not be looked at")
    for outcome, told in ((Outcome.BLOCKED, "not begun, for what it needs failed"), (Outcome.INTERRUPTED, "not ended")):
        unseen += [f"{step.id}: {told}" for step in report.steps if step.outcome is outcome]
    unseen += [
        f"{step.id}: could not look" for step in report.steps
        if step.outcome is Outcome.FAILED and step.condition is not None and step.condition.value == "unknown"
    ]  # fmt: skip
    return tuple(unseen)


def moment(at: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(at, UTC).strftime(_TIME)


def as_epoch(told: str) -> float | None:
    """The other way; None for what is no such time."""
    try:
        return datetime.strptime(told, _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


@cache
def version() -> str:
    """This version, as pyproject.toml says it."""
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
