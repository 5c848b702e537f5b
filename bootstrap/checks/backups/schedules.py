"""Whether a manual trigger keeps a backup's schedule off: VolSync then writes no more backups, and its status looks well."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.volsync.results import SourceBackups
from adapters.volsync.trigger import OURS
from cluster.hold.holding import sources_of
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Schedules(BaseCheck):
    """None whose run has ended: while one is at work it is meant to be there. A run leaves them as they are.

    VolSync ignores `spec.trigger.schedule` for as long as `spec.trigger.manual` is set, and Flux, which set neither field of a
    person's patch, does not take it away.
    """

    house: House
    id = StepId("backup.schedules")
    title = "no backup's schedule is kept off"
    severity = Severity.WATCHED
    needs = ("flux.reconcile",)

    def probe(self, look: LookContext) -> Probe:
        named = [(c.namespace, source) for c in self.house.claims for source in sources_of(c) if source]
        sources = [look.claims.source(namespace, source) for namespace, source in named]
        off = [s for s in sources if s.schedule and s.manual and s.manual == s.last_manual and not s.running]
        if off:
            told = number(len(off), "schedule is kept off", "schedules are kept off")
            restore = any(s.manual.startswith(OURS) for s in off)
            ends = "invoke dr.restore ends the restore that left it there; by hand: " if restore else ""
            return drifted(
                f"{told} by a manual trigger, and no backup is written", *(f"{s.namespace}/{s.name}: {s.manual}" for s in off),
                hint=ends + _give_back(off[0]),
            )  # fmt: skip
        absent = sum(not s.present for s in sources)
        return satisfied(f"none; {absent} of {number(len(sources), 'source')} not there (yet)" if absent else "none")

    def by_hand(self) -> str:
        columns = "NS:.metadata.namespace,NAME:.metadata.name,TRIGGER:.spec.trigger.manual,SCHEDULE:.spec.trigger.schedule"
        return f"kubectl get replicationsources.volsync.backube -A -o custom-columns={columns}"


def _give_back(source: SourceBackups) -> str:
    patch = '[{"op":"remove","path":"/spec/trigger/manual"}]'
    return f"kubectl -n {source.namespace} patch replicationsource {source.name} --type=json -p '{patch}'"


def check(house: House) -> Schedules:
    """The check of this house."""
    return Schedules(house)
