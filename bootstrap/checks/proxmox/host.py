"""Whether one Proxmox host is there. One that is not stops what is to be made and started on it, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House
from talos.quorum import Standing


@dataclass(frozen=True)
class Host(BaseCheck):
    """One host online, as the others see it. One whose status daemon is silent works, and is told."""

    house: House
    host: str
    needs = ("preflight.quorum",)

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.host/{self.host}")

    @property
    def title(self) -> str:
        return f"{self.host} is online"

    def probe(self, look: LookContext) -> Probe:
        cluster = look.proxmox.cluster()
        if self.host not in (*cluster.online, *cluster.offline):
            hosts = ", ".join(sorted((*cluster.online, *cluster.offline)))
            return missing(f"there is no host {self.host}", f"hosts of the Proxmox cluster: {hosts}", hint="see the settings")
        if self.host not in cluster.online:
            left = ", ".join(node.name for node in self.house.vms if node.host == self.host)
            return missing(
                f"{self.host} is offline: {left} left out", *self._left(cluster.online),
                hint=f"the rest is built without it; with {self.host} back, the same again makes what is left out",
            )
        if self.host in cluster.silent:
            return satisfied("online; its status daemon says nothing: systemctl restart pvestatd")
        return satisfied("online")

    def _left(self, online: Collection[str]) -> tuple[str, ...]:
        """What etcd can bear without this host, where it has a control plane: counted as if all of them voted."""
        planes = self.house.control_planes
        if not any(node.host == self.host for node in planes):
            return ()
        return (f"control planes on hosts that are there: {Standing(len(planes), sum(node.host in online for node in planes))}",)

    def by_hand(self) -> str:
        return f"pvecm nodes   # on any Proxmox host: {self.host} is listed"


def checks(house: House) -> Iterator[Host]:
    """One for every host that a node's VM is on."""
    for host in sorted({node.host for node in house.vms}):
        yield Host(house, host)
