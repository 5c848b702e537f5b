"""Whether the VolumeSnapshotClasses that backups name exist: in Git, or in the cluster that lives. Warns, and stops nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.errors import BlackstartError
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.data.snapshot_classes import NamedClass, SnapshotClasses, snapshot_classes
from house.files.problems import nearest
from house.model import House


@dataclass(frozen=True)
class SnapshotClassesExist(BaseCheck):
    """One row for all: a class that nobody makes holds up the backups, and the restores, of the claims that name it alone.

    `anew`: for a cluster that is made anew, of which the one that lives says nothing where Git does not show who made it there.
    """

    house: House
    classes: SnapshotClasses
    anew: bool = False
    id = StepId("preflight.snapshot-classes")
    title = "the snapshot classes that backups name exist"
    severity = Severity.ADVISORY
    sight_s = 0.0  # what nobody rendered stays unrendered, and a house that is built has no cluster to ask: nothing is waited for

    def probe(self, look: LookContext) -> Probe:
        lacking = self.classes.lacking
        if not lacking:
            return satisfied(f"{number(len(self.classes.named), 'name')}, each made by what Git shows")
        living, unasked = _living(look)
        lines = [f"{one.name}: {one.subject} names it, {one.declared_in}" for one in lacking]
        gone = [one for one in lacking if living is None or one.name not in living]
        unseen = self.house.kinds.unseen
        if not gone and unseen and not self.anew:
            return satisfied(f"the cluster has {_names(lacking)}, which may come with what was not rendered here", *lines)
        if not gone and not unseen:
            return drifted(f"the cluster has {_names(lacking)}, and nothing would bring it to a new one", *lines, hint=_HINT)
        lines = [*self._near(gone, living or frozenset()), *lines]
        if unseen:
            lives = "the cluster has none of that name" if gone else "who made it in the cluster that lives, Git does not show"
            where = lives if living is not None else f"no cluster says whether it is there: {unasked}"
            told = f"{_names(gone or lacking)} may come with one of {number(len(unseen), 'part')} that nobody rendered; {where}"
            return unknown(told, *lines, hint=_HINT)
        return missing(f"nothing makes {_names(gone)}: no snapshot of that class is ever ready", *lines, hint=_HINT)

    def _near(self, gone: list[NamedClass], living: frozenset[str]) -> list[str]:
        """What was probably meant, of those that there are."""
        known = self.classes.made | living
        found = ((one.name, nearest(one.name, known)) for one in gone)
        return [f"{name}: the nearest that there is, is {close}" for name, close in found if close]

    def by_hand(self) -> str:
        names = " ".join(shlex.quote(one.name) for one in self.classes.named)
        return f"kubectl get volumesnapshotclasses.snapshot.storage.k8s.io {names}   # each is there"


_HINT = "add the VolumeSnapshotClass to Git, or name one that is there: what waits for it says so in its VolumeSnapshot alone"


def _names(classes: tuple[NamedClass, ...] | list[NamedClass]) -> str:
    return ", ".join(one.name for one in classes)


def _living(look: LookContext) -> tuple[frozenset[str] | None, str]:
    """The classes of a cluster that lives; None where none tells them, and why."""
    try:
        return look.trials.look().snapshot_classes, ""
    except BlackstartError as error:
        return None, error.as_told().what


def checks(house: House) -> Iterator[SnapshotClassesExist]:
    """One where a backup names a class, none where all leave it to the cluster's default."""
    classes = snapshot_classes(house.rendered)
    if classes.named:
        yield SnapshotClassesExist(house, classes)
