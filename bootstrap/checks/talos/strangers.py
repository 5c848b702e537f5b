"""Whether a node that answers already is ours: one look at the certificate of every node's address."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.talos.results import Phase
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Strangers(BaseCheck):
    """No node answers with another cluster's certificate; a silent address is no problem here."""

    house: House
    id = StepId("preflight.strangers")
    title = "nodes that answer are ours"
    needs = ("preflight.keys",)

    def probe(self, look: LookContext) -> Probe:
        phases = dict(zip(self.house.nodes, look.talos.phases(tuple(node.address for node in self.house.nodes)), strict=True))
        foreign = tuple(f"{n.name} at {n.address}" for n, phase in phases.items() if phase is Phase.FOREIGN)
        if foreign:
            return missing("a node answers with a certificate of another Talos CA than our secrets bundle's", *foreign)
        answering = sum(phase is not Phase.UNREACHABLE for phase in phases.values())
        return satisfied(f"{answering} of {len(phases)} answer, none is a stranger")

    def by_hand(self) -> str:
        nodes = ",".join(node.address for node in self.house.nodes)
        return f"talosctl -n {nodes} version --insecure || true   # nobody answers, or only machines in maintenance"


def check(house: House) -> Strangers:
    """The check of this house."""
    return Strangers(house)
