"""Hold the probes that the settings demand of a claim: that its data make sense to what reads them, and not only came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.drills.results import Examination, Examined, Health, Order, Phase
from engine.errors import PermanentError, TransientError, WaitedTooLong
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.waiting import CLOSE, wait_until
from house.model import BackedUpClaim
from house.values.rehearsing import ClaimProbe
from rehearsal.drill import Drill
from rehearsal.judging import asked_of, of_probe
from rehearsal.outcome import DrillVerdict, ProbeOutcome
from rehearsal.record import Probed, demanded, put_probed, record_of
from rehearsal.steps.restore_scratch import order_of

_START_S = 600.0
"""An image that nobody has here has to be pulled first."""


@dataclass(frozen=True)
class ProbeScratch(BaseStep):
    """What the claim's probes have seen is written down; nothing is asked of a claim whose comparison has not passed."""

    drill: Drill
    claim: BackedUpClaim
    probes: tuple[ClaimProbe, ...]
    system = "rehearsal"

    @property
    def id(self) -> StepId:
        return StepId(f"rehearsal.probe/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} probed: {', '.join(probe.name for probe in self.probes)}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"rehearsal.compare/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.drill.run} {self.claim.key} {asked_of(self.probes)}"

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        done = record.done(self.claim) if record is not None else None
        if record is None or done is None:
            return missing("not compared yet")
        if done.verdict is not DrillVerdict.PASS:
            return satisfied("it did not pass its comparison: there is nothing to be probed")
        probed = record.probed(self.claim)
        if probed is None or probed.asked != asked_of(self.probes):
            return missing("not probed yet")
        return satisfied("; ".join(_told(one) for one in probed.outcomes))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        pin = demanded(act.drills, self.drill.run).pin(self.claim)
        if pin is None:
            raise PermanentError(f"no restore point of {self.claim.key} is chosen")
        order = order_of(self.claim, pin)
        # One after the other: some of them write to the copy, as the application would.
        outcomes = tuple(of_probe(probe, examined(act, order, probe)) for probe in self.probes)
        put_probed(act.drills, self.claim, Probed(asked_of(self.probes), act.clock.now(), outcomes))

    def by_hand(self) -> str:
        return "sqlite3 notes.db 'PRAGMA integrity_check'  # or what else reads it, in a pod that mounts the scratch claim"


def examined(act: ActContext, order: Order, probe: ClaimProbe) -> Examined:
    """What this probe has seen, once it has ended; one that never does has shown nothing."""
    of = Examination(order, probe)
    act.drills.examine(of)
    limit_s = probe.limit_s + _START_S

    def ended() -> Examined | None:
        state = act.drills.examined(of)
        if state.phase is Phase.ABSENT:
            raise TransientError(f"the probe {probe.name} is gone")
        return state if state.phase is Phase.DONE else None

    try:
        return wait_until(act.clock, ended, limit_s=limit_s, what=f"the probe {probe.name}", pace=CLOSE)
    except WaitedTooLong:
        return Examined(Phase.DONE, Health.UNSEEN, f"it has not ended in {limit_s:.0f} s")


def _told(outcome: ProbeOutcome) -> str:
    return f"{outcome.name}: {outcome.verdict.value}{f', {outcome.detail}' if outcome.detail else ''}"


def steps(drill: Drill) -> Iterator[ProbeScratch]:
    """One for every claim of the drill of which the settings demand something."""
    for claim in drill.claims:
        if probes := drill.house.rehearsal.probes_of(claim.key):
            yield ProbeScratch(drill, claim, probes)
