"""Whether the repository declares backups of an engine that the hold cannot hold: those would be poisoned by a rebuilt cluster."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Engines(BaseCheck):
    """Every declared backup is one that can be held, opened and proven."""

    house: House
    id = StepId("preflight.engines")
    title = "every declared backup can be held"

    def probe(self, look: LookContext) -> Probe:
        others = self.house.unsupported
        if others:
            return missing(
                f"{len(others)} backups are of an engine that the hold cannot hold",
                *(f"{other.namespace}/{other.name}: {other.engine}, {other.declared_in}" for other in others),
                hint="Flux would start them on empty volumes, which they then back up: take them out of Git until their data are "
                "restored by their own means, or back them up with restic",
            )
        return satisfied("no other engine is declared")

    def by_hand(self) -> str:
        return f"git -C {self.house.root} grep -inE 'kopia|kopiur'   # no line"


def check(house: House) -> Engines:
    """The check of this house."""
    return Engines(house)
