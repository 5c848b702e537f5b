"""Says at the end what is still held: the cluster is built, and no backup is written until a restore is proven."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.holding import still_held
from engine.probe import Probe, held, satisfied
from engine.step import BaseCheck, Severity, StepId


@dataclass(frozen=True)
class HeldClaims(BaseCheck):
    """Never stops anything: a held claim is what a bootstrap is meant to leave behind."""

    id = StepId("hold.claims")
    title = "claims that are held"
    severity = Severity.ADVISORY
    needs = ("flux.reconcile",)

    def probe(self, look: LookContext) -> Probe:
        claims = still_held(look.hold.record().claims)
        if claims:
            return held(f"{len(claims)} held, no backups are being written for them", *(c.key for c in claims))
        return satisfied("none")

    def by_hand(self) -> str:
        return "kubectl -n blackstart get configmap hold -o yaml   # every state.… that is `held`: no backup is written"
