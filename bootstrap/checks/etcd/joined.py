"""Whether a node that was made anew takes part: it votes in etcd, its API server answers, Kubernetes calls it Ready."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.absent import absent_nodes, never_made
from engine.probe import Condition, Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House, Node
from talos.etcd import etcd_probe


@dataclass(frozen=True)
class Joined(BaseCheck):
    """One node, waited for as long as a boot and an API server may take. `after`: what must be done besides."""

    house: House
    node: Node
    after: tuple[str, ...] = ()

    @property
    def id(self) -> StepId:
        return StepId(f"kubernetes.joined/{self.node.name}")

    @property
    def title(self) -> str:
        return f"{self.node.name} takes part"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self.after, f"talos.apply-config/{self.node.name}")

    @property
    def sight_s(self) -> float:
        return self.house.limits.boot_s + self.house.limits.api_s

    def probe(self, look: LookContext) -> Probe:
        told = []
        if self.node.control_plane:
            absent = frozenset(one.name for one in absent_nodes(look.proxmox, self.house) if one.control_plane)
            etcd = etcd_probe(look.talos, self.house, absent=absent, never_made=absent & never_made(look.proxmox, self.house))
            if etcd.condition is not Condition.SATISFIED:
                return etcd
            told.append(etcd.detail)
            server = next((one for one in look.cluster.api_servers() if one.address == self.node.address), None)
            if server is None or not server.ready:
                return changing(f"the API server of {self.node.name} is not ready", *((server.detail,) if server else ()))
        seen = next((one for one in look.cluster.nodes() if one.name == self.node.name), None)
        if seen is None or not seen.ready:
            return changing(f"{self.node.name} is not Ready", seen.reason if seen is not None else "it has not registered")
        return satisfied(f"{self.node.name} is Ready", *told)

    def by_hand(self) -> str:
        return f"kubectl get node {self.node.name}   # Ready; talosctl etcd members lists every control plane"


def check(house: House, node: Node) -> Joined:
    """The check of one node."""
    return Joined(house, node)
