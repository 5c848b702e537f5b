"""Whether the API server of every control plane answers, each asked at its own address."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.absent import absent_nodes, left_out
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class ApiServers(BaseCheck):
    """All ready: the hold must bite on each of them, so one that is late is waited for. One whose host is off admits nothing."""

    house: House
    id = StepId("kubernetes.api-servers")
    title = "API ready on every control plane"
    needs = ("talos.fetch-kubeconfig",)

    @property
    def sight_s(self) -> float:
        return self.house.limits.api_s

    def probe(self, look: LookContext) -> Probe:
        absent = {node.address: node.name for node in absent_nodes(look.proxmox, self.house) if node.control_plane}
        asked = look.cluster.api_servers()
        ready = [server for server in asked if server.ready]
        late = tuple(f"{s.address}: {s.detail or 'not ready'}" for s in asked if not s.ready and s.address not in absent)
        gone = set(absent) - {server.address for server in ready}
        if late or not ready or len(ready) + len(gone) < len(self.house.control_planes):
            return changing(f"{len(late)} of {number(len(self.house.control_planes), 'API server')} not ready", *late)
        return satisfied(f"{len(ready)} ready, {ready[0].version}{left_out(absent[address] for address in gone)}")

    def by_hand(self) -> str:
        port = self.house.cluster.api_port
        asked = (f"kubectl --server https://{node.address}:{port} get --raw /readyz" for node in self.house.control_planes)
        return f"{' && '.join(asked)}   # ok, each; whoever comes without a certificate gets 401"


def check(house: House) -> ApiServers:
    """The check of this house."""
    return ApiServers(house)
