"""Bootstrap etcd: once in the life of a cluster, on one fixed node, and only when no control plane has data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError
from engine.probe import Condition, Probe
from engine.step import BaseStep, Notes, StepId
from house.model import House
from talos.etcd import etcd_probe


@dataclass(frozen=True)
class BootstrapEtcd(BaseStep):
    """One etcd with every control plane as a healthy member."""

    house: House
    system = "etcd"
    id = StepId("talos.bootstrap-etcd")
    title = "etcd bootstrapped"
    needs = ("talos.apply-config/*",)
    settle_s = 5.0

    @property
    def sight_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def ready_s(self) -> float:
        return self.house.limits.boot_s

    @property
    def inputs(self) -> str:
        return self.house.bootstrap_node.name

    def probe(self, look: LookContext) -> Probe:
        return etcd_probe(look.talos, self.house)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        # The look that led here may be old by the time of the act, and a second etcd can't be taken back: look once more.
        again = etcd_probe(act.talos, self.house)
        if again.condition is not Condition.MISSING:
            raise PermanentError(
                "etcd is not bootstrapped: what was seen has changed since", evidence=(again.detail, *again.evidence)
            )
        act.talos.bootstrap_etcd(self.house.bootstrap_node.address)

    def by_hand(self) -> str:
        node = self.house.bootstrap_node
        return f"talosctl bootstrap -n {node.address} -e {node.address}   # once, and only if no control plane has etcd data"


def steps(house: House) -> Iterator[BootstrapEtcd]:
    """One for the house."""
    yield BootstrapEtcd(house)
