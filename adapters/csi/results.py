"""Which nodes have which CSI driver, and OpenEBS's pools. Judges nothing; what is not written is None or "", never a guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """One CSI driver by its name: the nodes that have it registered."""

    name: str
    nodes: tuple[str, ...]


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
    """All of it as one look found it; `nodes` are the cluster's."""

    nodes: tuple[str, ...] = ()
    drivers: tuple[Driver, ...] = ()
    pools: tuple[Pool, ...] = ()

    def driver(self, name: str) -> Driver:
        """This driver; one that no node has is on none."""
        return next((one for one in self.drivers if one.name == name), Driver(name, ()))

    def of_engine(self, engine: str) -> tuple[Pool, ...]:
        """The pools of one engine of OpenEBS."""
        return tuple(pool for pool in self.pools if pool.engine == engine)
