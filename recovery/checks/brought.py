"""Whether a former state that was brought back is a repository that restores: restic's own check, before anybody relies on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.backups.results import Depth, Verdict
from adapters.context import LookContext
from cluster.by_hand import restic_by_hand
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from recovery.points.former import stamp
from recovery.steps.repository.bring_former import BringFormer

_SILENT = (Verdict.UNREACHABLE, Verdict.UNKNOWN)


@dataclass(frozen=True)
class Brought(BaseCheck):
    """It opens, and no tree of any of its snapshots lacks anything."""

    step: BringFormer

    @property
    def id(self) -> StepId:
        return StepId(f"backup.undeleted/{self.step.place.source_key}")

    @property
    def title(self) -> str:
        return f"{self.step.place.source_key} as it was is whole"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.step.id,)

    def probe(self, look: LookContext) -> Probe:
        repository = self.step.brought
        found = look.backups.look(repository)
        if found.verdict in _SILENT:
            return unknown(f"{self.step.into}: {found.detail or found.verdict.value}")
        if not found.points:
            return missing(f"{self.step.into} is {found.verdict.value}", found.detail, hint="another --as-of, before that happened")
        newest = found.points[0]
        seen = look.backups.examine(
            repository, newest.snapshot_id, Depth.CHECKED, limit_s=self.step.house.limits.restore_s
        )
        told = f"{number(len(found.points), 'snapshot')}, the newest {newest.snapshot_id[:8]} of {stamp(newest.time)}"
        if seen.verdict in _SILENT:
            return unknown(f"{told}: {seen.detail}")
        if seen.verdict is not Verdict.OK:
            whole = tuple(f"whole: {one[:8]}" for one in seen.whole)
            return drifted(f"{told}: {seen.verdict.value}, {seen.detail}", *whole, hint="another --as-of: something went before it")
        return satisfied(f"{told}: ok ({(seen.depth or Depth.CHECKED).value})")

    def by_hand(self) -> str:
        return restic_by_hand(replace(self.step.place, open_as=self.step.into), "check")
