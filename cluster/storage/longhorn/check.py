"""Whether Longhorn is fit to be restored onto: a row for each of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.findings import probe_of
from cluster.storage.longhorn.judge import GATES, PARTS
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, missing
from engine.step import BaseCheck, StepId, if_any

DRIVER = "driver.longhorn.io"


@dataclass(frozen=True)
class LonghornSound(BaseCheck):
    """One part of it, by its name in `judge.PARTS`."""

    part: str

    @property
    def id(self) -> StepId:
        return StepId(f"storage.longhorn/{self.part}")

    @property
    def title(self) -> str:
        return f"Longhorn: {self.part.replace('-', ' ')}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("kubernetes.api-servers"),)

    def probe(self, look: LookContext) -> Probe:
        found = look.cluster.longhorn(PARTS[self.part].asks)
        if not found.served:
            return missing("the cluster serves none of Longhorn's kinds", hint="its chart brings them")
        return probe_of(tuple(PARTS[self.part].judge(found)))

    def by_hand(self) -> str:
        return "kubectl -n longhorn-system get nodes.longhorn.io,volumes.longhorn.io,engineimages.longhorn.io,pods   # none unready"


def longhorn_checks(look: LookContext) -> Iterator[LonghornSound]:
    """Rows for every part of it, where the cluster has it by now; none where it has not."""
    try:
        served = look.cluster.longhorn(()).served
    except (TransientError, PermanentError):
        # Whether there is one nobody knows; that no API server answers is a row of its own.
        return
    if served:
        yield from (LonghornSound(part) for part in PARTS)


def is_longhorn(found: StorageClass) -> bool:
    """Whether Longhorn's own driver makes the volumes of this class."""
    return found.provisioner == DRIVER


def longhorn_under(classes: Iterable[StorageClass]) -> dict[StorageClass, tuple[LonghornSound, ...]]:
    """For each of these classes the rows that must be sound before a volume of it is made."""
    return {found: tuple(LonghornSound(part) for part in GATES) for found in classes}
