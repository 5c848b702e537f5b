"""The storage systems that are looked at here. Each is one folder with one shape: whose classes are its own, which rows speak for
the house, and which must be sound under a class before a restore. The next one is a folder and a line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.ceph.check import ceph_checks
from cluster.storage.ceph.under import ceph_under, is_ceph
from cluster.storage.longhorn.check import is_longhorn, longhorn_checks, longhorn_under
from cluster.storage.room import Ground
from cluster.storage.row import StorageRow


@dataclass(frozen=True)
class Kind:
    """One system: `makes` says whether it makes the volumes of a class, `checks` looks whether the house has it and gives its rows
    (none where it has not), `under` gives for each of its classes what a restore onto it stands on."""

    makes: Callable[[StorageClass], bool]
    checks: Callable[[LookContext], Iterator[StorageRow]]
    under: Callable[[LookContext, Collection[StorageClass]], Mapping[StorageClass, Ground]]


KINDS = (
    Kind(is_ceph, ceph_checks, ceph_under),
    Kind(is_longhorn, longhorn_checks, longhorn_under),
)


def storage_checks(look: LookContext) -> Iterator[StorageRow]:
    """The rows of every system that the house has by now. One that gives no answer has its row, too."""
    for kind in KINDS:
        yield from kind.checks(look)


def ground_under(look: LookContext, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
    """What stands under each class that is made by a system which is looked at here."""
    made: dict[StorageClass, Ground] = {}
    for kind in KINDS:
        if of_it := {found for found in classes if kind.makes(found)}:
            made.update(kind.under(look, of_it))
    return made
