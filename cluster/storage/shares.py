"""Volumes that are folders or datasets of a server: the driver on the nodes, and what stands behind the class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.driver import of_driver
from cluster.storage.findings import Finding, Weight
from cluster.storage.nas.check import accepted
from cluster.storage.nas.judge import share_findings
from cluster.storage.nas.machine import with_machine
from cluster.storage.room import Ground
from cluster.storage.row import FoundRow, System, shut_out
from engine.errors import PermanentError, TransientError
from engine.step import StepId, if_any
from house.model import House
from house.values.nas import Export, Nas, NasExport


@dataclass(frozen=True)
class Behind:
    """What a class makes its volumes on, as far as the class tells: a server ("" where it does not), and a place there in the
    server's own words. `kind`: that place is an export which a look at the server can be asked about, None for what is none.
    `lacks` is the parameter that the driver makes no volume without, "" where each is there."""

    server: str
    place: str
    kind: Export | None = None
    lacks: str = ""

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.place} of {self.server}" if self.server else self.place


@dataclass(frozen=True)
class ShareSound(FoundRow):
    """One class of one such system: its driver, and the NAS behind it where that is one of the settings."""

    kind: str
    name: str
    found: StorageClass
    behind: Behind
    nas: Nas | None
    risk = "a volume may be made where nothing is mounted, or on a pool that is about to fail"

    @property
    def system(self) -> System:
        return System(self.kind, self.name)

    @property
    def id(self) -> StepId:
        return StepId(f"storage.{self.kind}/{self.found.name}")

    @property
    def title(self) -> str:
        return f"{self.name}: class {self.found.name}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("kubernetes.api-servers"),)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        try:
            driver = [*of_driver(look.csi.look(), self.found, look.clock.now())]
        except PermanentError as no:
            driver = [shut_out("driver", no)]
        return [*driver, *self._behind(look)]

    def _behind(self, look: LookContext) -> Iterable[Finding]:
        if self.behind.lacks:
            told = f"class {self.found.name} has no parameter {self.behind.lacks}: its driver makes no volume without"
            command = f"kubectl get storageclass {self.found.name} -o yaml"
            hint = "write it in Git; a class is made anew, never changed"
            return [Finding("class", Weight.BLOCKS, told, hint=hint, command=command)]
        if self.nas is None:
            told = f"its volumes are made on {self.behind.told}: nobody here asks how that is"
            return [Finding("server", Weight.NOTED, told, hint="a NAS that is named under nas: in the settings is looked at")]
        if self.behind.kind is None:
            told = f"its volumes are made on {self.behind.told}, which is NAS {self.nas.name}: its own rows tell how that is"
            return [Finding("server", Weight.NOTED, told)]
        seen = with_machine(self.nas, look.nas.look(self.nas), look.proxmox)
        share = self.behind.place.split("/")[0] if self.behind.kind is Export.SMB else self.behind.place
        export = NasExport(self.behind.kind, share, f"class {self.found.name}")
        return [accepted(self.nas, one) for one in share_findings(self.nas, seen, export)]

    def by_hand(self) -> str:
        return f"kubectl get storageclass {self.found.name} -o yaml && kubectl get csinodes -o yaml   # its driver is on every node"


@dataclass(frozen=True)
class Shares:
    """One such system: its folder gives which classes are its own, and what is behind one."""

    kind: str
    name: str
    makes: Callable[[StorageClass], bool]
    behind: Callable[[StorageClass], Behind]

    def checks(self, look: LookContext, house: House) -> Iterator[ShareSound]:
        """A row for each of its classes; none where there is none, or no API server answers, which is a row of its own."""
        try:
            classes = look.cluster.storage_classes()
        except (TransientError, PermanentError):
            return
        yield from (self._row(found, house) for found in classes if self.makes(found))

    def under(self, look: LookContext, house: House, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
        """The same row stands before a restore onto the class."""
        return {found: Ground((self._row(found, house),)) for found in classes}

    def _row(self, found: StorageClass, house: House) -> ShareSound:
        behind = self.behind(found)
        nas = next((one for one in house.nas if behind.server.lower().rstrip(".") in one.names), None)
        return ShareSound(self.kind, self.name, found, behind, nas)
