"""Close what a stop or a checkpoint had begun when it was cut off, once the house is on again. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.probe import Probe, satisfied
from engine.step import BaseStep, Notes, StepId, if_any

_CUT_OFF = ("stop.", "checkpoint.")


@dataclass(frozen=True)
class UndoStop(BaseStep):
    """One step that the journal holds for begun. What it changed, the steps before this one have changed back."""

    begun: str
    needs = (if_any("proxmox.start-vm/*"), if_any("start.database/*"), if_any("start.app/*"), if_any("start.ceph"))
    system = "journal"

    @property
    def id(self) -> StepId:
        area, _, rest = self.begun.partition(".")
        return StepId(f"stop.{rest}") if area == "stop" else StepId(f"checkpoint.{rest}")

    @property
    def title(self) -> str:
        return f"{self.begun}, which was cut off, undone"

    def probe(self, look: LookContext) -> Probe:
        return satisfied("the house is on again")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        """There is nothing to do: what is looked at is done by others."""

    def by_hand(self) -> str:
        return "invoke cluster.status   # nothing is in flight"


def steps(begun: Collection[str]) -> Iterator[UndoStop]:
    """One for each of these (the journal's steps in flight) that is a stop's or a checkpoint's."""
    for step in sorted(begun):
        if step.startswith(_CUT_OFF):
            yield UndoStop(step)
