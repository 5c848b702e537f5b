"""One answer to "may I do that now?": the rows of a verify that it hangs on, each taken at its word. Knows no port.

A gate looks at everything, as a verify does, and answers by its own rows alone: a warning is a no here, and so is what is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from adapters.context import LookContext
from console.ending import LastWords
from console.report.proven import Standing, State, remembered, standings
from engine.errors import EXIT_OK, SettingsInvalid
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.report import Outcome, Report, StepReport
from engine.step import BaseCheck, StepId
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Gate:
    """What is asked, and the patterns of the rows that it hangs on."""

    name: str
    question: str
    rows: tuple[str, ...]

    def of(self, report: Report) -> Report:
        """The report of these rows alone, and of what any of them is a consequence of."""
        asked = {step.id for step in report.steps if any(fnmatchcase(step.id, row) for row in self.rows)}
        causes = {cause for step in report.steps if step.id in asked for cause in step.blocked_by}
        return replace(report, steps=tuple(_at_its_word(step) for step in report.steps if step.id in asked | causes))

    def words(self, report: Report) -> LastWords:
        """Yes, or how many rows say no."""
        may = report.exit_code == EXIT_OK
        against = sum(step.outcome is not Outcome.OK for step in report.steps)
        told = "yes" if may else f"no, by {number(against, 'row')}"
        done = f"{self.question}: {told}" if report.converged else ""
        return LastWords(done=done, again="", fields={"gate": self.name, "may": may})


GATES: Mapping[str, Gate] = MappingProxyType({
    gate.name: gate for gate in (
        Gate(
            "upgrade", "Upgrade now",
            (
                "preflight.quorum", "preflight.host/*", "proxmox.start-vm/*", "talos.version/*", "talos.clock/*",
                "kubernetes.api-servers", "kubernetes.nodes", "talos.bootstrap-etcd", "guard.etcd-healthy", "storage.*",
                "preflight.backup/*", "preflight.backup-age/*", "preflight.archive/*", "database.own-archive/*", "backup.schedules",
                "hold.*", "proof.*",
                "component.volsync.backups", "component.cloudnative-pg.*", "component.cilium",
            ),
        ),
    )
})  # fmt: skip
"""Nodes, etcd, storage, and every proof that what is lost comes back."""


def gate_named(name: str) -> Gate:
    """Raises SettingsInvalid for one that there is not."""
    if name not in GATES:
        raise SettingsInvalid(f"there is no gate {name}", hint=f"there are: {', '.join(GATES)}")
    return GATES[name]


@dataclass(frozen=True)
class ProofYoung(BaseCheck):
    """One claim or database was proven to come back, not longer ago than the settings allow. It goes by what is remembered; `odd`
    are proofs of it that cannot be counted, in words."""

    standing: Standing
    now: float
    every: float
    odd: tuple[str, ...] = ()
    sight_s = 0.0

    @property
    def id(self) -> StepId:
        return StepId(f"proof.{self.standing.kind.value}/{self.standing.key}")

    @property
    def title(self) -> str:
        return f"{self.standing.key} was proven to come back"

    def probe(self, look: LookContext) -> Probe:
        hint = "invoke dr.rehearse proves it beside the living house; dr.status tells of all"
        if self.standing.state is State.NEVER or self.standing.at is None:
            return missing("never proven to come back", *self.odd, hint=hint)
        if (since := age_of(self.standing.at, self.now)) is None:
            told = f"proven {span(self.standing.at - self.now)} in the future"
            return unknown(told, hint=f"this machine's clock was or is wrong, so the proof has no age; {hint}")
        age = f"proven {span(since)} ago"
        if self.standing.state is State.DUE:
            return drifted(f"{age}, and the limit is {span(self.every)} (evidence.prove_every)", hint=hint)
        return satisfied(age)

    def by_hand(self) -> str:
        return "invoke dr.status"


def proof_checks(house: House, known: Mapping[str, str], now: float) -> Iterator[ProofYoung]:
    """One for every declared claim and database; `known` maps claim keys to repository ids. Raises JournalDamaged."""
    memory = remembered(house, known, now)
    for one in standings(house, memory, now):
        yield ProofYoung(one, now, house.evidence.prove_every, memory.odd_of(one))


def _at_its_word(step: StepReport) -> StepReport:
    return replace(step, advisory=False)
