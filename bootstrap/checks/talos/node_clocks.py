"""Whether each node's clock agrees with ours: etcd, certificates and tokens of a node with a wrong one are refused elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.checks.proxmox.clocks import MOST_S
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from house.model import House, Node


@dataclass(frozen=True)
class NodeClock(BaseCheck):
    """One node. Advisory: to tell its time a node asks its time server, and a dark house may not reach one."""

    house: House
    node: Node
    severity = Severity.ADVISORY
    sight_s = 10.0

    @property
    def id(self) -> StepId:
        return StepId(f"talos.clock/{self.node.name}")

    @property
    def title(self) -> str:
        return f"the clock of {self.node.name} agrees"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"talos.apply-config/{self.node.name}", "talos.bootstrap-etcd")

    def probe(self, look: LookContext) -> Probe:
        offset = look.talos.clock(self.node.address) - look.clock.now()
        if abs(offset) > MOST_S:
            return drifted(f"its clock is {offset:+.0f} s from this machine's", hint="see which time server it asks: machine.time")
        return satisfied(f"within {MOST_S:.0f} s")

    def by_hand(self) -> str:
        return f"talosctl -n {self.node.address} time; date -u   # the same to a few seconds"


def checks(house: House) -> Iterator[NodeClock]:
    """One for every node."""
    for node in house.nodes:
        yield NodeClock(house, node)
