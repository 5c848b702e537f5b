"""The guard before anything disturbs a node: with one etcd voter down already, a second one would take the cluster along."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Condition, Probe, satisfied
from engine.step import BaseCheck, StepId
from house.model import House
from talos.etcd import etcd_probe


@dataclass(frozen=True)
class EtcdHealthy(BaseCheck):
    """Every control plane a healthy member, or no etcd at all yet."""

    house: House
    id = StepId("guard.etcd-healthy")
    title = "every etcd member is healthy"

    def probe(self, look: LookContext) -> Probe:
        seen = etcd_probe(look.talos, self.house)
        return satisfied("there is no etcd yet") if seen.condition is Condition.MISSING else seen
