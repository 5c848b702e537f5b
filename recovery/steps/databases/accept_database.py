"""Accept by hand that one database may be made empty beside its own backups, and have Flux look again."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.by_hand import record_by_hand
from engine.probe import Probe, missing, satisfied
from engine.secrets import told
from engine.step import BaseStep, Notes, StepId
from house.values.databases import Database
from recovery.lifting import acceptance, lift_database


@dataclass(frozen=True)
class AcceptDatabase(BaseStep):
    """The record says that it may, and Flux was asked since: its whole Kustomization was refused with the database.

    `asked_since` (seconds since the epoch) asks Flux once more where the record has said so for long; 0.0 for not.
    """

    database: Database
    reason: str
    asked_since: float = 0.0
    system = "kubernetes"
    ready_s = 30.0

    @property
    def id(self) -> StepId:
        return StepId(f"hold.accept/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} may be made empty"

    @property
    def inputs(self) -> str:
        return f"{self.database.key} {self.database.flux_app}"

    def probe(self, look: LookContext) -> Probe:
        accepted = acceptance(look.hold, self.database)
        if accepted is None:
            return missing("it is refused when made: it archives and has no bootstrap.recovery")
        was = "was accepted already" if self.asked_since else "may be made empty beside its own backups"
        # Another machine may have written it by a clock that is ahead: no asking of ours would be later than that.
        since = max(accepted.since if accepted.since <= look.clock.now() else 0.0, self.asked_since)
        flux = next((k for k in look.flux.state().kustomizations if k.key == self.database.flux_app), None)
        if flux is not None and (not flux.asked or flux.asked < since):
            return missing(f"{was}, and Flux was not asked since")
        return satisfied(f"{was}: {accepted.reason}" + ("; Flux was asked to make it" if flux is not None else ""))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        notes.put("lifted", told("; ".join(lift_database(act, self.database, self.reason))))

    def by_hand(self) -> str:
        return record_by_hand({f"cnpg.{self.database.namespace}.{self.database.name}": "accepted-empty"})
