"""Benches for the Talos contract: four machines of the test house behind one of the two doors, with power switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from adapters.ports import Talos
from adapters.talos.port import Machineconfigs
from house.model import House, Node
from lab.ports.machines.machineconfigs import ModelledHouse, ModelledMachineconfigs
from lab.ports.machines.talos import ModelledTalos
from lab.world.machines.machine import MachineDisk
from lab.world.machines.talos import TalosWorld
from lab.world.world import World
from tests.builders import a_house


@dataclass
class HandClock:
    """A clock that only a sleep moves."""

    at: float = 1000.0

    def now(self) -> float:
        return 1_790_000_000.0 + self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Bench(Protocol):
    """What the contract needs of a door."""

    house: House
    world: TalosWorld
    talos: Talos
    machineconfigs: Machineconfigs

    def until(self, seen: Callable[[], bool], what: str) -> None: ...
    def let_pass(self, seconds: float) -> None: ...
    def forget_bundle(self) -> None:
        """Put another secrets bundle in place of the one the nodes were configured from, and render anew."""

    def lose_bundle(self) -> None:
        """Take the secrets bundle away."""


@dataclass
class Racks:
    """The machines' disks, which outlive their power."""

    disks: dict[str, tuple[MachineDisk, ...]] = field(default_factory=dict)

    def of(self, node: Node, *, image: bool = True) -> tuple[MachineDisk, ...]:
        """The node's disks: system disk (from the image, unless told otherwise) and data disk."""
        if node.name not in self.disks:
            self.disks[node.name] = tuple(
                MachineDisk(f"/dev/sd{'abcd'[i]}", disk.size, {}, image="talos" if image and disk.system else "")
                for i, disk in enumerate(node.disks)
            )
        return self.disks[node.name]


class ModelledBench:
    """In-process doors under a clock that the test moves."""

    def __init__(self) -> None:
        self.house = a_house()
        self.clock = HandClock()
        self.world = TalosWorld(World(self.clock, seed=7))
        for node in self.house.nodes:
            self.world.plug_in(node.mac, node.address)
        self.state = ModelledHouse(self.house)
        self.talos: Talos = ModelledTalos(self.world, self.state)
        self.machineconfigs: Machineconfigs = ModelledMachineconfigs(self.state)

    def until(self, seen: Callable[[], bool], what: str) -> None:
        """Move the clock until `seen`; an hour of it must do."""
        for _ in range(3600):
            if seen():
                return
            self.clock.sleep(1.0)
        raise AssertionError(f"never came: {what}")

    def let_pass(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.sleep(seconds)

    def forget_bundle(self) -> None:
        """Another bundle is another cluster."""
        self.state.bundle = "bundle-2"
        self.machineconfigs.render()

    def lose_bundle(self) -> None:
        """Take it away."""
        self.state.bundle = ""
