"""What the evidence of one run says, as frozen values: docs/evidence.md explains each. Times in seconds from the run's start.

A moment is RFC 3339 in UTC. What is not known is None, and never 0 or "".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.kit.nouns import FromKit
from console.report.moments import Span
from engine.errors import OurError
from rehearsal.outcome import DrillOutcome

SCHEMA = "blackstart.evidence/1"


@dataclass(frozen=True)
class Ending:
    """What came of it: one word, a sentence, how it is to be taken (good, mixed, bad), and what the verb ended with."""

    word: str
    tone: str
    sentence: str
    exit_code: int


@dataclass(frozen=True)
class StepLine:
    """One step or check. `after` is what it needs that ended last, "" for none; `critical`: on the path that took longest."""

    id: str
    title: str
    check: bool
    outcome: str
    detail: str
    evidence: tuple[str, ...]
    problem: OurError | None
    started: float
    seconds: float
    tries: int
    resumed: bool
    blocked_by: tuple[str, ...]
    after: str
    critical: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class ClaimLine:
    """One restore point that was proven in this run. `rpo_s`: how old the data were when the run began; `rto_s`: how long until
    they were proven; None where nobody can tell."""

    kind: str
    key: str
    repository_id: str
    snapshot_id: str
    point: str
    depth: str
    proof: str
    files: int
    rpo_s: float | None
    rto_s: float | None


@dataclass(frozen=True)
class JournalPart:
    """Where this run's lines stand in the journal: their number, the sum before the first and that of the last."""

    lineage: str
    lines: int
    before: str
    end: str
    withheld: int


@dataclass(frozen=True)
class Previous:
    """The evidence that was written before this one for the same house: its run, and the SHA-256 of its SHA256SUMS."""

    run: str
    sums: str


@dataclass(frozen=True)
class Evidence:
    """One run. `drill` is what a rehearsal adds; `journal` None where nothing was begun that a journal would keep; `kit` the one
    that it worked from alone, None for a house as it lies.

    `path` names the steps of the critical path in their order; `path_s` what they looked, waited and worked, and what was neither.
    """

    schema: str
    version: str
    house: str
    house_id: str
    simulated: bool
    verb: str
    run: str
    started: str
    ended: str
    seconds: float
    verdict: Ending
    counts: Mapping[str, int]
    claims: tuple[ClaimLine, ...]
    steps: tuple[StepLine, ...]
    path: tuple[str, ...]
    path_s: Mapping[str, float]
    not_looked_at: tuple[str, ...]
    journal: JournalPart | None
    drill: DrillOutcome | None = None
    kit: FromKit | None = None
