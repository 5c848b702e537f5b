"""Whether Longhorn is fit to be restored onto: a row for each of its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.findings import Finding, Weight
from cluster.storage.longhorn.judge import GATES, PARTS
from cluster.storage.longhorn.room import longhorn_room
from cluster.storage.room import Ground
from cluster.storage.row import FoundRow, System, answers, shut_out
from engine.errors import PermanentError, TransientError
from engine.step import StepId, if_any

DRIVER = "driver.longhorn.io"
LONGHORN = System("longhorn", "Longhorn")


_BY_HAND = "kubectl -n longhorn-system get nodes.longhorn.io,volumes.longhorn.io,engineimages.longhorn.io,pods   # none unready"


@dataclass(frozen=True)
class LonghornSound(FoundRow):
    """One part of it, by its name in `judge.PARTS`."""

    part: str
    system = LONGHORN

    @property
    def id(self) -> StepId:
        return StepId(f"storage.longhorn/{self.part}")

    @property
    def title(self) -> str:
        return f"Longhorn: {self.part.replace('-', ' ')}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("kubernetes.api-servers"),)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        return _of_parts(look, (self.part,))

    def by_hand(self) -> str:
        return _BY_HAND


@dataclass(frozen=True)
class LonghornGate(FoundRow):
    """All that a restore onto it stands on, as one row: a sick Longhorn is one problem, and one consent."""

    id = StepId("storage.longhorn/under")
    title = "Longhorn: what a restore onto it needs"
    system = LONGHORN
    risk = "the new volume may stay without a whole replica, and folders of an earlier cluster may be the only copy of what was"

    def findings(self, look: LookContext) -> Sequence[Finding]:
        return _of_parts(look, GATES)

    def by_hand(self) -> str:
        return _BY_HAND


def _of_parts(look: LookContext, parts: Collection[str]) -> Sequence[Finding]:
    asked = {field for part in parts for field in PARTS[part].asks}
    try:
        found = look.cluster.longhorn(asked)
    except PermanentError as no:
        return (shut_out("Longhorn", no),)
    if not found.served:
        told = "the cluster serves none of its kinds"
        return (Finding("Longhorn", Weight.BLOCKS, told, hint="its chart brings them"),)
    return tuple(one for part in parts for one in PARTS[part].judge(found))


def longhorn_checks(look: LookContext) -> Iterator[LonghornSound]:
    """Rows for every part of it, where the cluster has it by now; none where it has not.

    Where nobody may ask, or its kinds give no answer though an API server does, one row says so.
    """
    try:
        served = look.cluster.longhorn(()).served
    except PermanentError:
        yield LonghornSound("nodes")
        return
    except TransientError:
        if answers(look.cluster):
            yield LonghornSound("nodes")
        return
    if served:
        yield from (LonghornSound(part) for part in PARTS)


def is_longhorn(found: StorageClass) -> bool:
    """Whether Longhorn's own driver makes the volumes of this class."""
    return found.provisioner == DRIVER


def longhorn_under(look: LookContext, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
    """For each of these classes what must be sound before a volume of it is made."""
    return {found: Ground((LonghornGate(),), longhorn_room(found)) for found in classes}
