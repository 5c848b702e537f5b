"""The scratch namespace with its fence, every wall of it tried: a fence that is not proven lets nothing start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError
from engine.probe import Probe, changing, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.ages import within
from rehearsal.drill import PLAN, Drill
from rehearsal.record import Record, put_fence

FENCE = "rehearsal.fence/scratch"
TRUSTED_S = 3600.0
"""For so long a drill that goes on believes the trials of the process before it."""


@dataclass(frozen=True)
class RaiseFence(BaseStep):
    """A scratch namespace that is this drill's, in which every wall held its trial."""

    drill: Drill
    system = "rehearsal"
    ready_s = 600.0
    title = "a scratch namespace that nothing gets out of"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.fence/scratch")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("rehearsal.free/house",)

    @property
    def inputs(self) -> str:
        return self.drill.run

    def probe(self, look: LookContext) -> Probe:
        scratch = look.drills.scratch()
        if scratch is None:
            return missing("there is none yet")
        if scratch.deleting:
            return changing("that of an earlier drill is being deleted", *scratch.left)
        if scratch.drill != self.drill.run:
            return drifted("that of another drill is there", scratch.drill)
        record = Record(scratch)
        parts, tried = record.fence, record.tried
        if not parts or tried is None or not scratch.note(PLAN):
            return missing("it was not tried yet")
        if not within(tried, look.clock.now(), TRUSTED_S):
            return missing("it was tried long ago, by a run that was cut off: what holds by now is not known")
        lacking = [f"{part.name}: {part.detail}" for part in parts if not part.proven]
        if lacking:
            return missing("it did not hold when it was tried", *lacking)
        return satisfied(f"held in every trial: {', '.join(part.name for part in parts)}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        claim = self.drill.claims[0]
        act.drills.fence_in(self.drill.run)
        act.drills.note(PLAN, self.drill.plan())
        parts = put_fence(act.drills, act.drills.try_fence(claim.namespace, claim.destination), act.clock.now())
        lacking = [part for part in parts if not part.proven]
        if lacking:
            raise PermanentError(
                f"the fence is not proven: {', '.join(part.name for part in lacking)}",
                evidence=tuple(f"{part.name}: {part.detail}" for part in lacking),
                hint="nothing was started in it; does the cluster's network plugin enforce NetworkPolicies?",
            )

    def by_hand(self) -> str:
        return "kubectl create namespace blackstart-rehearsal  # and deny it all traffic, Services and backups"


def steps(drill: Drill) -> Iterator[RaiseFence]:
    """The one."""
    yield RaiseFence(drill)
