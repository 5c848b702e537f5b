"""Whether Proxmox answers and a majority of its hosts is there: without quorum it refuses most changes, and does others half."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House


@dataclass(frozen=True)
class Quorum(BaseCheck):
    """Quorum; which hosts are there is asked host by host."""

    house: House
    id = StepId("preflight.quorum")
    title = "Proxmox has quorum"
    needs = ("preflight.privileges",)

    def probe(self, look: LookContext) -> Probe:
        cluster = look.proxmox.cluster()
        if not cluster.quorate:
            return missing(
                "the Proxmox cluster has no quorum: it makes, starts and configures no VM",
                f"online: {', '.join(cluster.online) or 'none'}", f"offline: {', '.join(cluster.offline) or 'none'}",
                hint="bring hosts back until `pvecm status` says Quorate: Yes. Until then delete and grow nothing by hand either: "
                "Proxmox destroys the disks, or grows the image, before it fails",
            )  # fmt: skip
        return satisfied(f"quorate, {number(len(cluster.online), 'host')} online, version {cluster.version}")

    def by_hand(self) -> str:
        return "pvecm status   # on any Proxmox host: `Quorate: Yes`"


def check(house: House) -> Quorum:
    """The check of this house."""
    return Quorum(house)
