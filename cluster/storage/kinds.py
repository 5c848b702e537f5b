"""The storage systems that are looked at here. Each is one folder with one shape: whose classes are its own, which rows speak for
the house, and which must be sound under a class before a restore. The next one is a folder and a line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.ceph.check import ceph_checks
from cluster.storage.ceph.under import ceph_under, is_ceph
from cluster.storage.democratic.check import DEMOCRATIC
from cluster.storage.longhorn.check import is_longhorn, longhorn_checks, longhorn_under
from cluster.storage.nfs.check import NFS
from cluster.storage.openebs.check import is_openebs, openebs_checks, openebs_under
from cluster.storage.room import Ground
from cluster.storage.row import StorageRow
from cluster.storage.smb.check import SMB
from house.model import House


@dataclass(frozen=True)
class Kind:
    """One system: `makes` says whether it makes the volumes of a class, `checks` looks whether the house has it and gives its rows
    (none where it has not), `under` gives for each of its classes what a restore onto it stands on."""

    makes: Callable[[StorageClass], bool]
    checks: Callable[[LookContext, House], Iterator[StorageRow]]
    under: Callable[[LookContext, House, Collection[StorageClass]], Mapping[StorageClass, Ground]]


KINDS = (
    Kind(is_ceph, lambda look, _: ceph_checks(look), lambda look, _, classes: ceph_under(look, classes)),
    Kind(is_longhorn, lambda look, _: longhorn_checks(look), lambda look, _, classes: longhorn_under(look, classes)),
    Kind(is_openebs, lambda look, _: openebs_checks(look), lambda look, _, classes: openebs_under(look, classes)),
    *(Kind(shares.makes, shares.checks, shares.under) for shares in (DEMOCRATIC, NFS, SMB)),
)


def storage_checks(look: LookContext, house: House) -> Iterator[StorageRow]:
    """The rows of every system that the house has by now. One that gives no answer has its row, too."""
    for kind in KINDS:
        yield from kind.checks(look, house)


def ground_under(look: LookContext, house: House, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
    """What stands under each class that is made by a system which is looked at here."""
    made: dict[StorageClass, Ground] = {}
    for kind in KINDS:
        if of_it := {found for found in classes if kind.makes(found)}:
            made.update(kind.under(look, house, of_it))
    return made
