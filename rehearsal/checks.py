"""What must be so before a drill begins: nothing is held, and no run is in flight."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.holding import still_held
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId


@dataclass(frozen=True)
class HouseFree(BaseCheck):
    """Nothing of the house is in the middle of a recovery. `in_flight` are steps that a run of this machine left open."""

    in_flight: tuple[str, ...] = ()
    title = "no recovery is going on"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.free/house")

    def probe(self, look: LookContext) -> Probe:
        if self.in_flight:
            return missing(
                "a run of this house was cut off", *self.in_flight, hint="a recovery comes first: the verb that was cut off goes on"
            )
        record = look.hold.record()
        held = still_held(record.claims)
        if held:
            return missing(
                f"{len(held)} held: a recovery is going on", *(claim.key for claim in held),
                hint="invoke dr.hold says what lifts them; a drill waits for that",
            )  # fmt: skip
        return satisfied("nothing is held, and nothing is in flight")
