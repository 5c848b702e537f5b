"""Whether snapshots of each storage class were proven, and when: the marker that a trial has left, with its age. Tries nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.trials.results import Tried
from cluster.storage.findings import moment
from cluster.storage.under import classes_of
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, Severity, StepId, if_any
from engine.text.ages import ago, within
from house.model import House

OLD_S = 30 * 86400.0
PROVE = "invoke cluster.storage --prove"


@dataclass(frozen=True)
class SnapshotsProven(BaseCheck):
    """Snapshots of one class hold what was written, as a trial of the last weeks found. Warns, and stops nothing."""

    storage_class: str
    severity = Severity.ADVISORY

    @property
    def id(self) -> StepId:
        return StepId(f"storage.snapshots/{self.storage_class}")

    @property
    def title(self) -> str:
        return f"snapshots of storage class {self.storage_class} are proven"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("kubernetes.api-servers"),)

    def probe(self, look: LookContext) -> Probe:
        found, now = look.trials.look(), look.clock.now()
        proven, written = found.last(Tried.SNAPSHOT, self.storage_class), found.last(Tried.WRITE, self.storage_class)
        last = "" if written is None else f"last write probe {ago(written.at, now)}"
        if found.left:
            told = f"a trial that was cut off, or one that goes on, has left {', '.join(found.left[:3])}"
            return drifted(told, last, hint=f"the next trial takes it away: {PROVE}")
        if proven is None:
            return missing("never proven: whether a backup from a snapshot of it holds anything nobody has tried", hint=PROVE)
        told = f"proven {ago(proven.at, now)} ({moment(proven.at)}), in {proven.seconds:.0f} s"
        if not within(proven.at, now, OLD_S):
            return drifted(told, last, hint=PROVE)
        return satisfied("; ".join(filter(None, (told, last))))

    def by_hand(self) -> str:
        return "kubectl -n blackstart get configmap trials -o yaml   # snapshot.CLASS: when it was proven last"


def trial_checks(look: LookContext, house: House) -> Iterator[SnapshotsProven]:
    """One for each class of a backed-up claim whose driver has a VolumeSnapshotClass; none where the cluster cannot be asked."""
    yield from (SnapshotsProven(name) for name in classes_to_prove(look, house))


def classes_to_prove(look: LookContext, house: House) -> tuple[str, ...]:
    """Those classes, by name."""
    try:
        classes = classes_of(look, house, [claim.key for claim in house.claims])
        drivers = look.trials.look().snapshot_drivers
    except (TransientError, PermanentError):
        # That it cannot be asked is a row of its own.
        return ()
    return tuple(sorted({one.name for one in classes.values() if one.provisioner in drivers}))
