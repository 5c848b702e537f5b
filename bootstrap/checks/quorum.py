"""Whether Proxmox answers and a majority of its hosts is there: without quorum it accepts no change."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class Quorum(BaseCheck):
    """Quorum, and every host that a node lives on is online."""

    house: House
    id = StepId("preflight.quorum")
    title = "Proxmox has quorum and the hosts are online"
    needs = ("preflight.privileges",)

    def probe(self, look: LookContext) -> Probe:
        cluster = look.proxmox.cluster()
        if not cluster.quorate:
            return missing(
                "the Proxmox cluster has no quorum: it would refuse every change",
                f"online: {', '.join(cluster.online) or 'none'}", f"offline: {', '.join(cluster.offline) or 'none'}",
            )  # fmt: skip
        absent = sorted({node.host for node in self.house.nodes} - set(cluster.online))
        if absent:
            known = (*cluster.online, *cluster.offline)
            return missing(
                f"not online: {', '.join(absent)}", *(f"{h}: {'offline' if h in known else 'no such host'}" for h in absent)
            )
        return satisfied(f"quorate, {len(cluster.online)} hosts online, version {cluster.version}")

    def by_hand(self) -> str:
        return "pvecm status   # on any Proxmox host: `Quorate: Yes`, and every host is listed"


def check(house: House) -> Quorum:
    """The check of this house."""
    return Quorum(house)
