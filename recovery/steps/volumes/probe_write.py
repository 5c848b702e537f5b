"""Let a pod of ours write to a fresh volume of a storage class before anything is restored onto it.

A Ceph whose OSDs all lost power at once says for a minute that it is whole, and hangs every write: no look tells that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.trials.results import Tried
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.ages import age_of
from recovery.trying import by_hand

FRESH_S = 900.0
"""A write that passed so lately need not be tried again: a run that was cut off goes on."""
LIMIT_S = 120.0


@dataclass(frozen=True)
class ProbeWrite(BaseStep):
    """A write to this class was through, lately. `rows` are the checks of what it is made on: a sick one is not written to."""

    storage_class: str
    rows: tuple[str, ...] = ()
    system = "storage"

    @property
    def id(self) -> StepId:
        return StepId(f"storage.write/{self.storage_class}")

    @property
    def title(self) -> str:
        return f"a fresh write to storage class {self.storage_class}"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.rows

    @property
    def inputs(self) -> str:
        return self.storage_class

    def probe(self, look: LookContext) -> Probe:
        last = look.trials.look().last(Tried.WRITE, self.storage_class)
        age = None if last is None else age_of(last.at, look.clock.now())
        if last is not None and age is not None and age < FRESH_S:
            return satisfied(f"one was through {age:.0f} s ago")
        return missing("none was tried lately")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.trials.write(self.storage_class, LIMIT_S)

    def by_hand(self) -> str:
        return by_hand(self.storage_class, LIMIT_S)


def steps(classes: Mapping[str, tuple[str, ...]]) -> Iterator[ProbeWrite]:
    """One for each of these classes, with the checks that come before it."""
    for name, rows in classes.items():
        yield ProbeWrite(name, rows)
