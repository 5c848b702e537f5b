"""Which nodes have which CSI driver, what makes its volumes, and OpenEBS's pools. Judges nothing; what is not written is None or
"", never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from adapters.kubernetes.results import StorageClass


class Role(Enum):
    """What a part of a driver's controller does."""

    PROVISIONER = "provisioner"
    ATTACHER = "attacher"
    SNAPSHOTTER = "snapshotter"


LEASES: Mapping[Role, str] = MappingProxyType({
    Role.PROVISIONER: "", Role.ATTACHER: "external-attacher-leader-", Role.SNAPSHOTTER: "external-snapshotter-leader-",
})  # fmt: skip
"""What stands before the driver's name in the name of the Lease that each runs under (source of Kubernetes' CSI sidecars)."""
_SECRET = re.compile(r"(csi\.storage\.k8s\.io/.+-secret-)name")


@dataclass(frozen=True)
class Driver:
    """One CSI driver by its name: the nodes that have it registered."""

    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Sidecar:
    """A part of a driver's controller, as its Lease tells: who holds it ("" for nobody) and when it was renewed last (epoch
    seconds, None where that is not written)."""

    driver: str
    role: Role
    holder: str
    renewed: float | None


@dataclass(frozen=True)
class Pool:
    """One pool of OpenEBS: its engine (`zfs`, `lvm`, `mayastor`), node and name. Bytes, None where nobody says.

    `state` is the engine's own word ("" for none), `well` what that means: None where nobody says.
    """

    engine: str
    node: str
    name: str
    free: int | None = None
    size: int | None = None
    state: str = ""
    well: bool | None = None


@dataclass(frozen=True)
class CsiLook:
    """All of it as one look found it; `nodes` are the cluster's, `registered` the drivers that have a CSIDriver object.

    Of a sidecar without a Lease nothing is told: not every one runs under one. Of the Secrets that storage classes name, as
    `namespace/name`, `lacking` are those that are not there, `unseen` those that may not be looked at.
    """

    nodes: tuple[str, ...] = ()
    drivers: tuple[Driver, ...] = ()
    pools: tuple[Pool, ...] = ()
    registered: tuple[str, ...] = ()
    sidecars: tuple[Sidecar, ...] = ()
    lacking: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    def driver(self, name: str) -> Driver:
        """This driver; one that no node has is on none."""
        return next((one for one in self.drivers if one.name == name), Driver(name, ()))

    def of_engine(self, engine: str) -> tuple[Pool, ...]:
        """The pools of one engine of OpenEBS."""
        return tuple(pool for pool in self.pools if pool.engine == engine)

    def sidecar(self, driver: str, role: Role) -> Sidecar | None:
        """The one that was renewed last: an installation of before may have left its Lease in another namespace."""
        found = (one for one in self.sidecars if (one.driver, one.role) == (driver, role))
        return max(found, key=lambda one: (bool(one.holder), one.renewed or 0.0), default=None)


def lease_of(driver: str, role: Role) -> str:
    """What the Lease is called."""
    return LEASES[role] + re.sub(r"[^A-Za-z0-9-]", "-", driver)


def secrets_of(found: StorageClass) -> tuple[str, ...]:
    """The Secrets that a class names, as `namespace/name`, each once; one that is another for each claim is no name."""
    given = dict(found.parameters)
    pairs = [(given.get(f"{key[1]}namespace", ""), name) for one, name in given.items() if (key := _SECRET.fullmatch(one))]
    return tuple(dict.fromkeys(f"{space}/{name}" for space, name in pairs if space and name and "${" not in space + name))
