"""What stands under each claim: its storage class, who makes the class's volumes, and the checks that speak for that system."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.course import HouseCheck
from cluster.storage.ceph.under import ceph_under, is_ceph
from cluster.storage.gate import Gate
from cluster.storage.longhorn.check import is_longhorn, longhorn_under
from cluster.storage.row import StorageRow
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, StepId
from house.data.nouns import Space
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class StandsOn(BaseCheck):
    """One claim's storage class is still the one whose system was looked at; that this is sound the `rows` say that it needs."""

    claim: BackedUpClaim
    storage_class: StorageClass
    rows: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        return self.rows

    @property
    def id(self) -> StepId:
        return StepId(f"storage.under/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"storage under {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        name = self.storage_class.name
        found = next((one for one in look.cluster.storage_classes() if one.name == name), None)
        if found is None:
            return missing(f"there is no storage class {name} any more")
        if (found.provisioner, found.parameters) != (self.storage_class.provisioner, self.storage_class.parameters):
            return drifted(f"storage class {name} makes its volumes elsewhere than a moment ago", hint="run the same again")
        return satisfied(f"class {name} of {found.provisioner}")

    def by_hand(self) -> str:
        return f"kubectl get storageclass {self.storage_class.name} -o yaml   # its provisioner and parameters"


def gates(look: LookContext, house: House, claims: Iterable[BackedUpClaim]) -> tuple[HouseCheck, ...]:
    """Checks of every system that these claims' volumes are made on, and for each such claim one that needs those of its own.

    A claim on anything else has none. Raises what the look at the cluster raises.
    """
    classes = look.cluster.storage_classes()
    named = {one.name: one for one in classes}
    default = next((one for one in classes if one.default), None)
    written = _written(look, house)
    classed = []
    for claim in claims:
        name = written.get(claim.key, "")
        found = named.get(name) if name else default
        if found is not None:
            classed.append((claim, found))
    made = _rows(look, {found for _, found in classed})
    rows: dict[StepId, HouseCheck] = {}
    under = []
    for claim, found in classed:
        if of_it := made.get(found):
            rows.update((row.id, Gate(row)) for row in of_it)
            under.append(StandsOn(claim, found, tuple(row.id for row in of_it)))
    return (*rows.values(), *under)


def _rows(look: LookContext, classes: Collection[StorageClass]) -> dict[StorageClass, tuple[StorageRow, ...]]:
    """For each class that is made by a system which is looked at here, the rows that must be sound."""
    made: dict[StorageClass, tuple[StorageRow, ...]] = {}
    if on_ceph := {found for found in classes if is_ceph(found)}:
        made.update(ceph_under(look, on_ceph))
    made.update(longhorn_under(found for found in classes if is_longhorn(found)))
    return made


def _written(look: LookContext, house: House) -> dict[str, str]:
    """Claim → name of its class: as the cluster has it, else as Git declares it; "" or absent for the default one."""
    declared = {one.key: one.storage for one in house.data.holders if one.space is Space.CLAIM}
    return declared | {one.key: one.storage_class for one in look.cluster.claims()}
