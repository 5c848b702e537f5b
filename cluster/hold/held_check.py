"""Says at the end of a run what is held still. Shared by bootstrap and restore, which end after different steps."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.holding import held_probe
from engine.probe import Probe
from engine.step import BaseCheck, Severity, StepId


@dataclass(frozen=True)
class HeldClaims(BaseCheck):
    """Never stops anything: a bootstrap is meant to leave held claims behind, and one claim's restore says nothing of others."""

    after: tuple[str, ...]
    id = StepId("hold.claims")
    title = "claims that are held"
    severity = Severity.ADVISORY

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after

    def probe(self, look: LookContext) -> Probe:
        return held_probe(look.hold, look.claims)

    def by_hand(self) -> str:
        return "kubectl -n blackstart get configmap hold -o yaml   # every state.… that is `held`: no backup is written"
