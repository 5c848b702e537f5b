"""Whether the hosts and this machine agree on the time: certificates, tokens and restore points hang on it."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House

MOST_S = 30.0


@dataclass(frozen=True)
class Clocks(BaseCheck):
    """Every host's clock within half a minute of ours."""

    house: House
    id = StepId("preflight.clocks")
    title = "clocks agree"
    needs = ("preflight.quorum",)

    def probe(self, look: LookContext) -> Probe:
        hosts = {node.host for node in self.house.nodes}
        offsets = {h.name: h.clock - look.clock.now() for h in look.proxmox.hosts() if h.name in hosts}
        off = tuple(f"{name}: {offset:+.0f} s" for name, offset in sorted(offsets.items()) if abs(offset) > MOST_S)
        if off:
            return missing(f"clocks are more than {MOST_S:.0f} s away from this machine's", *off)
        return satisfied(f"{len(offsets)} hosts within {MOST_S:.0f} s")

    def by_hand(self) -> str:
        return "date -u   # here, and on every Proxmox host: the same to a few seconds"


def check(house: House) -> Clocks:
    """The check of this house."""
    return Clocks(house)
