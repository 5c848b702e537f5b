"""Whether the API server of every control plane answers, each asked at its own address."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class ApiServers(BaseCheck):
    """All ready: the hold must bite on each of them, so one that is late is waited for."""

    house: House
    id = StepId("kubernetes.api-servers")
    title = "API ready on every control plane"
    needs = ("talos.fetch-kubeconfig",)

    @property
    def sight_s(self) -> float:
        return self.house.limits.api_s

    def probe(self, look: LookContext) -> Probe:
        servers = look.cluster.api_servers()
        late = tuple(f"{s.address}: {s.detail or 'not ready'}" for s in servers if not s.ready)
        if late or len(servers) < len(self.house.control_planes):
            return changing(f"{len(late)} of {len(self.house.control_planes)} API servers are not ready", *late)
        return satisfied(f"{len(servers)} ready, {servers[0].version}")

    def by_hand(self) -> str:
        port = self.house.cluster.api_port
        return "; ".join(f"curl -ks https://{node.address}:{port}/readyz" for node in self.house.control_planes) + "   # ok, each"


def check(house: House) -> ApiServers:
    """The check of this house."""
    return ApiServers(house)
