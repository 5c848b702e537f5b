"""Bootstrap etcd: once in the life of a cluster, on one fixed node, and only when no control plane has data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.ports import ProxmoxView, TalosView
from bootstrap.needs import BEFORE_THE_CLUSTER, configured
from cluster.machines.absent import absent_nodes, first_present, never_made
from engine.errors import PermanentError
from engine.probe import Condition, Probe
from engine.step import BaseStep, Notes, StepId
from house.model import House
from talos.etcd import etcd_probe


@dataclass(frozen=True)
class BootstrapEtcd(BaseStep):
    """One etcd with every control plane as a healthy member, but for those whose host is off."""

    house: House
    system = "etcd"
    id = StepId("talos.bootstrap-etcd")
    title = "etcd bootstrapped"
    standing = True
    settle_s = 5.0

    @property
    def needs(self) -> tuple[str, ...]:
        # One control plane on a dead host must not keep the others down. Whether etcd may be made, the probe asks all of them.
        return (BEFORE_THE_CLUSTER, *map(configured, (node.name for node in self.house.control_planes)))

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
        return self._seen(look.talos, look.proxmox)

    def _seen(self, talos: TalosView, proxmox: ProxmoxView) -> Probe:
        absent = frozenset(node.name for node in absent_nodes(proxmox, self.house) if node.control_plane)
        return etcd_probe(talos, self.house, absent=absent, never_made=absent & never_made(proxmox, self.house))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        # The look that led here may be old by the time of the act, and a second etcd can't be taken back: look once more.
        again = self._seen(act.talos, act.proxmox)
        if again.condition is not Condition.MISSING:
            raise PermanentError(
                "etcd is not bootstrapped: what was seen has changed since", evidence=(again.detail, *again.evidence),
                hint="nothing was done; does another run work on it?", next_command="invoke cluster.plan",
            )
        act.talos.bootstrap_etcd(first_present(act.proxmox, self.house).address)

    def by_hand(self) -> str:
        node = self.house.bootstrap_node
        return f"talosctl bootstrap -n {node.address} -e {node.address}   # once, and only if no control plane has etcd data"


def steps(house: House) -> Iterator[BootstrapEtcd]:
    """One for the house."""
    yield BootstrapEtcd(house)
