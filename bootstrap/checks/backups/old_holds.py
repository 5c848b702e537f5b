"""Whether something has been held for long: the cluster is built, and no backup is written until a restore is proven."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.holding import still_held
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.ages import age_of, within
from engine.text.lengths import span

OLD_S = 48 * 3600.0


@dataclass(frozen=True)
class OldHolds(BaseCheck):
    """Nothing held for long: a hold is meant to last for hours, and all that time no backup is written."""

    id = StepId("hold.age")
    title = "no claim is held for long"
    severity = Severity.WATCHED
    needs = ("hold.claims",)

    def probe(self, look: LookContext) -> Probe:
        now = look.clock.now()
        old = [claim for claim in still_held(look.hold.record().claims) if not within(claim.since, now, OLD_S)]
        if old:
            return drifted(
                f"{len(old)} held for more than {span(OLD_S)}, and no backup is written for them all that time",
                *(f"{c.key}: {_since(c.since, now)}" for c in old),
                hint="invoke dr.restore brings their data back and lifts it; dr.release lifts it without a proof",
            )
        return satisfied("none")

    def by_hand(self) -> str:
        return "kubectl -n blackstart get configmap hold -o yaml   # `since` in every detail.… is in seconds since 1970"


def _since(at: float, now: float) -> str:
    if not at:
        return "nobody knows since when"
    age = age_of(at, now)
    return "since a time that is later than now: a clock is wrong" if age is None else span(age)
