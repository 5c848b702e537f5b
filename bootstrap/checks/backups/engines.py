"""Whether the repository declares backups of an engine that the hold cannot hold: those would be poisoned by a rebuilt cluster."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Engines(BaseCheck):
    """Every declared backup is one that can be held, opened and proven."""

    house: House
    id = StepId("preflight.engines")
    title = "every declared backup can be held"

    def probe(self, look: LookContext) -> Probe:
        others = self.house.unheld
        makers = [one for one in self.house.not_followed if one.makes_backups]
        if others or makers:
            backups = number(len(others), "backup is", "backups are")
            objects = number(len(makers), "object makes", "objects make")
            told = [f"{backups} of an engine that the hold cannot hold"] if others else []
            told += [f"{objects} backups in the cluster that the hold does not know"] if makers else []
            return missing(
                "; ".join(told),
                *(f"{other.namespace}/{other.name}: {other.engine}, {other.declared_in}" for other in others),
                *(f"{one.subject}: {one.why}, {one.declared_in}" for one in makers),
                hint="Flux would start them on empty volumes, which they then back up: take them out of Git until their data are "
                "restored by their own means, or back them up with restic; what VolSync's fork for kopia keeps is held once "
                "a rule of backups.open_as opens it",
            )
        parts = number(len(self.house.not_followed), "part of the repository is", "parts of the repository are")
        unseen = f"; {parts} not followed" if self.house.not_followed else ""
        kopia = self.house.held_kopia
        held = f"; {number(len(kopia), 'claim')} of kopia's will be held, and restored by hand" if kopia else ""
        return satisfied(f"no other engine is declared{held}{unseen}")

    def by_hand(self) -> str:
        held = ", ".join(claim.key for claim in self.house.held_kopia)
        but = f" but of {held}: those are held, and restored by hand" if held else ""
        return f"git -C {self.house.root} grep -inE 'kopia|kopiur|kind: ResourceSet' || true   # no backup among them{but}"


def check(house: House) -> Engines:
    """The check of this house."""
    return Engines(house)
