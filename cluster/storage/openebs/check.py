"""Whether OpenEBS is fit to be restored onto: a row for each of its classes, by the engine that makes its volumes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.driver import of_driver
from cluster.storage.findings import Finding, Weight
from cluster.storage.openebs.judge import pools
from cluster.storage.room import Ground
from cluster.storage.row import FoundRow, System, shut_out
from engine.errors import PermanentError, TransientError
from engine.step import StepId, if_any

HOSTPATH = "openebs.io/local"
# Provisioner → engine, and the class's parameter that names the pool, "" for none.
ENGINES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "zfs.csi.openebs.io": ("zfs", "poolname"),
    "local.csi.openebs.io": ("lvm", "volgroup"),
    "io.openebs.csi-mayastor": ("mayastor", ""),
})  # fmt: skip
OPENEBS = System("openebs", "OpenEBS")


@dataclass(frozen=True)
class OpenEbsSound(FoundRow):
    """One class: its driver on the nodes, and the pools of its engine."""

    found: StorageClass
    system = OPENEBS
    risk = "a pool of one node is the only copy of what is on it"

    @property
    def id(self) -> StepId:
        return StepId(f"storage.openebs/{self.found.name}")

    @property
    def title(self) -> str:
        return f"OpenEBS: class {self.found.name}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("kubernetes.api-servers"),)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        if self.found.provisioner == HOSTPATH:
            told = "volumes are folders on a node's own disk: nothing tells how that is, and nobody has a second copy"
            return [Finding("folders", Weight.NOTED, told)]
        engine, parameter = ENGINES[self.found.provisioner]
        try:
            seen = look.csi.look()
        except PermanentError as no:
            return [shut_out("pools", no)]
        # A regular expression in the class of LVM (vgpattern) names several: then every one counts.
        wanted = dict(self.found.parameters).get(parameter, "").split("/")[0]
        return [*of_driver(seen, self.found, look.clock.now()), *pools(engine, seen.of_engine(engine), wanted)]

    def by_hand(self) -> str:
        return f"kubectl get storageclass {self.found.name} -o yaml && kubectl get zfsnodes,lvmnodes,diskpools -A   # those it has"


def is_openebs(found: StorageClass) -> bool:
    """Whether one of OpenEBS's drivers makes its volumes."""
    return found.provisioner in ENGINES or found.provisioner == HOSTPATH


def openebs_checks(look: LookContext) -> Iterator[OpenEbsSound]:
    """A row for each of its classes; none where there is none, or no API server answers, which is a row of its own."""
    try:
        classes = look.cluster.storage_classes()
    except (TransientError, PermanentError):
        return
    yield from (OpenEbsSound(found) for found in classes if is_openebs(found))


def openebs_under(look: LookContext, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
    """The same row stands before a restore onto the class."""
    return {found: Ground((OpenEbsSound(found),)) for found in classes}
