"""Prove that snapshots of a storage class hold what was written: claim, write, snapshot, restore, compare, delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.trials.results import Tried
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from engine.text.ages import age_of
from recovery.trying import by_hand

FRESH_S = 3600.0
"""Proven so lately, it is not proven again: a run that was cut off goes on."""
LIMIT_S = 300.0


@dataclass(frozen=True)
class ProveSnapshots(BaseStep):
    """It was proven within the hour. The marker that it leaves is what `storage.snapshots/CLASS` tells the age of."""

    storage_class: str
    system = "storage"

    @property
    def id(self) -> StepId:
        return StepId(f"storage.prove/{self.storage_class}")

    @property
    def title(self) -> str:
        return f"snapshots of storage class {self.storage_class} proven"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any(f"storage.write/{self.storage_class}"),)

    @property
    def inputs(self) -> str:
        return self.storage_class

    def probe(self, look: LookContext) -> Probe:
        found = look.trials.look()
        last = found.last(Tried.SNAPSHOT, self.storage_class)
        age = None if last is None else age_of(last.at, look.clock.now())
        if last is not None and age is not None and age < FRESH_S:
            return satisfied(f"proven {age:.0f} s ago, in {last.seconds:.0f} s")
        return missing("not proven within the hour", *found.left)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.trials.snapshot(self.storage_class, LIMIT_S)

    def by_hand(self) -> str:
        return by_hand(self.storage_class, LIMIT_S)


def steps(classes: Iterable[str]) -> Iterator[ProveSnapshots]:
    """One for each of these classes."""
    for name in classes:
        yield ProveSnapshots(name)
