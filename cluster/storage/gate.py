"""A storage row where a restore begins: what it blocks can be passed by a consent that names it and what it risks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from adapters.context import LookContext
from cluster.storage.findings import Finding, Weight, probe_of
from cluster.storage.row import StorageRow, asked
from engine.probe import Condition, Probe, Risk
from engine.step import BaseCheck, Severity, StepId

STOPPING = (Weight.BLOCKS, Weight.UNKNOWN)


@dataclass(frozen=True)
class GateRisk(Risk):
    """A red row, and of each finding that stops it whether that is known, the part and the system's own word.

    Numbers and ages change while a person reads: a finding more, or another word, is another risk. `words` tell it.
    """

    row: str
    found: tuple[tuple[str, str, str], ...]
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Gate(BaseCheck):
    """The same row with the same name; nothing that is known to be well needs consent."""

    row: StorageRow

    @property
    def id(self) -> StepId:
        return self.row.id

    @property
    def title(self) -> str:
        return self.row.title

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(self.row.needs)

    @property
    def severity(self) -> Severity:
        return self.row.severity

    @property
    def sight_s(self) -> float:
        return self.row.sight_s

    def probe(self, look: LookContext) -> Probe:
        found = asked(look, self.row)
        seen = probe_of(found)
        if seen.condition is Condition.SATISFIED:
            return seen
        way = f"or restore all the same, by consent: {self.row.risk} (invoke dr.plan, then --approve its digest)"
        return replace(seen, hint="; ".join(filter(None, (seen.hint, way))), identity=risk_of(self.row, found))

    def by_hand(self) -> str:
        return self.row.by_hand()


def risk_of(row: StorageRow, found: Iterable[Finding]) -> GateRisk:
    """What somebody takes upon himself who goes on: all that stops, each once, and what may come of it."""
    stopping = [one for one in found if one.weight in STOPPING]
    named = sorted({(one.weight.value, one.part, one.code) for one in stopping})
    nobody = "nobody knows how it is; " if any(one.weight is Weight.UNKNOWN for one in stopping) or not stopping else ""
    told = "; ".join(dict.fromkeys(one.told for one in stopping)) or "nothing of it was looked at"
    return GateRisk(row.id, tuple(named), f"{row.title} is not fit to be restored onto: {told}. The risk: {nobody}{row.risk}")
