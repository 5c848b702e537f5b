"""Says at the end of a restore what is held still: the claims that were not named, and those that nobody declares any more."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.holding import held_probe
from engine.probe import Probe
from engine.step import BaseCheck, Severity, StepId, if_any


@dataclass(frozen=True)
class HeldClaims(BaseCheck):
    """Never stops anything: that one claim came back says nothing of the others, and no backup is written for them."""

    id = StepId("hold.claims")
    title = "claims that are still held"
    severity = Severity.ADVISORY
    needs = (if_any("recovery.accept-empty/*"), if_any("recovery.first-backup/*"))

    def probe(self, look: LookContext) -> Probe:
        return held_probe(look.hold)

    def by_hand(self) -> str:
        return "kubectl -n blackstart get configmap hold -o yaml   # every state.… that is `held`: no backup is written"
