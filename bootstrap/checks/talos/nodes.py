"""Whether every node has joined and is ready, which takes the CNI that a release brings."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.needs import configured
from cluster.machines.absent import absent_nodes, left_out, unlit
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Nodes(BaseCheck):
    """Every node of the house Ready, but for those whose host is off."""

    house: House
    id = StepId("kubernetes.nodes")
    title = "every node is ready"

    @property
    def needs(self) -> tuple[str, ...]:
        first = [f"helm.sync-release/{release.key}" for release in self.house.releases if not release.needs]
        return (configured(), "kubernetes.api-servers", *first)

    @property
    def sight_s(self) -> float:
        return self.house.limits.api_s

    def probe(self, look: LookContext) -> Probe:
        there = {node.name: node for node in look.cluster.nodes()}
        dark = {node.name for node in unlit(look.talos, self.house)}
        absent = {node.name for node in absent_nodes(look.proxmox, self.house)} | dark
        late, gone = [], []
        for node in self.house.nodes:
            state = there.get(node.name)
            if node.name in absent and not (state and state.ready):
                gone.append(node.name)
            elif state is None:
                late.append(f"{node.name}: has not joined")
            elif not state.ready:
                late.append(f"{node.name}: {state.reason or 'has not said'}")
        if late:
            return changing(f"{len(late)} of {number(len(self.house.nodes), 'node')} not ready", *late)
        return satisfied(f"{number(len(self.house.nodes) - len(gone), 'node')} ready{left_out(set(gone) - dark, dark & set(gone))}")

    def by_hand(self) -> str:
        return f"kubectl get nodes -o wide   # {number(len(self.house.nodes), 'node')}, Ready"


def check(house: House) -> Nodes:
    """The check of this house."""
    return Nodes(house)
