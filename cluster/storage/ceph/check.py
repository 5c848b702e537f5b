"""Whether a Ceph is fit to be restored onto: one row for the whole, one for its filesystems, one for each pool that is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from adapters.context import LookContext
from cluster.storage.ceph.places import InRook, OnHosts, Place, RookUnread
from cluster.storage.ceph.verdict import CephVerdict, shown
from cluster.storage.findings import Finding, Weight
from cluster.storage.row import FoundRow, System, answers, shut_out
from engine.errors import PermanentError, TransientError
from engine.step import StepId, if_any


class Part(Enum):
    """What of a Ceph a row speaks of. EVERYTHING is the whole and all of its pools."""

    EVERYTHING = "everything"
    WHOLE = "whole"
    FILESYSTEMS = "cephfs"
    POOL = "pool"


@dataclass(frozen=True)
class CephSound(FoundRow):
    """One part of one Ceph; `pool` names it where the part is one."""

    place: Place
    part: Part = Part.EVERYTHING
    pool: str = ""
    risk = "writes may hang or be lost, and a copy that is the only one left with them"

    @property
    def system(self) -> System:
        return System(f"ceph/{self.place.name}", self.place.title)

    @property
    def id(self) -> StepId:
        below = {Part.FILESYSTEMS: ".cephfs", Part.POOL: f".pool-{self.pool}"}.get(self.part, "")
        return StepId(f"storage.ceph/{self.place.name}{below}")

    @property
    def title(self) -> str:
        below = {Part.FILESYSTEMS: ": CephFS", Part.POOL: f": pool {self.pool}"}.get(self.part, "")
        return f"{self.place.title}{below}"

    @property
    def needs(self) -> tuple[str, ...]:
        if self.part in (Part.EVERYTHING, Part.WHOLE):
            return (if_any(self.place.asked_through),)
        return (f"storage.ceph/{self.place.name}",)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        try:
            found = self.place.verdict(look)
        except PermanentError as no:
            return (shut_out("Ceph", no),)
        return shown(self._of(found))

    def _of(self, found: CephVerdict) -> tuple[Finding, ...]:
        if self.part is Part.EVERYTHING:
            return (*found.whole, *(one for _, one in found.pools))
        if self.part is Part.WHOLE:
            return found.whole
        if self.part is Part.FILESYSTEMS:
            return found.filesystems or (Finding("filesystems", Weight.BLOCKS, "there is none"),)
        weight = Weight.UNKNOWN if found.pool_names is None else Weight.BLOCKS
        told = "nobody tells of it" if found.pool_names is None else "there is none of that name"
        return found.of_pool(self.pool) or (Finding(f"pool {self.pool}", weight, told),)

    def by_hand(self) -> str:
        return self.place.by_hand()


def ceph_checks(look: LookContext) -> Iterator[CephSound]:
    """Rows for every Ceph that the house has by now; none where there is none. One that gives no answer has its row, too."""
    try:
        hosted = look.proxmox.ceph()
        if hosted is not None:
            yield CephSound(OnHosts())
            files = hosted.status.filesystems
            if files is None or files.in_ or files.ranks:
                yield CephSound(OnHosts(), Part.FILESYSTEMS)
    except (TransientError, PermanentError):
        yield CephSound(OnHosts())
    try:
        clusters = look.cluster.ceph_clusters()
    except PermanentError:
        yield CephSound(RookUnread())
        return
    except TransientError:
        # Where no API server answers either, that is a row of its own.
        if answers(look.cluster):
            yield CephSound(RookUnread())
        return
    for cluster in clusters:
        place = InRook(cluster.namespace)
        yield CephSound(place)
        if place.verdict(look).filesystems:
            yield CephSound(place, Part.FILESYSTEMS)
