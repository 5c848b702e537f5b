"""Whether a machine of metal is on. Its power is a person's: one that is off stops what is its own, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from adapters.talos.results import Phase
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House, Node


@dataclass(frozen=True)
class Metal(BaseCheck):
    """One node that is no VM: Talos answers at its address, whether it is set up or waits to be. `after`: what must be done before
    it is set up."""

    house: House
    node: Node
    after: tuple[str, ...] = ()

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.host/metal.{self.node.name}")

    @property
    def title(self) -> str:
        return f"{self.node.name}, a machine of metal, is on"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after

    def probe(self, look: LookContext) -> Probe:
        if look.talos.phase(self.node.address) is not Phase.UNREACHABLE:
            return satisfied(f"Talos answers at {self.node.address}")
        left = "is left out" if not self.node.control_plane else "etcd waits for it: it may have data"
        return missing(
            f"no Talos answers at {self.node.address}: {self.node.name} {left}",
            hint="nobody but you switches it on: do, from Talos' ISO where its disk is empty; then the same again",
        )

    def by_hand(self) -> str:
        on = f"switch {self.node.name} on, from Talos' ISO where its disk is empty"
        return f"ping -c1 {self.node.address}   # it answers; else {on}"


def checks(house: House) -> Iterator[Metal]:
    """One for every node that is no VM."""
    for node in house.metal:
        yield Metal(house, node)
