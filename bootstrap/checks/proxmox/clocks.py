"""Whether each host and this machine agree on the time: certificates, tokens and restore points hang on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from house.model import House

MOST_S = 30.0


@dataclass(frozen=True)
class Clock(BaseCheck):
    """One host's clock within half a minute of ours."""

    host: str

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.clock/{self.host}")

    @property
    def title(self) -> str:
        return f"the clock of {self.host} agrees"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.host/{self.host}",)

    def probe(self, look: LookContext) -> Probe:
        found = next((host for host in look.proxmox.hosts() if host.name == self.host), None)
        if found is None:
            return unknown(f"{self.host} is not online")
        offset = found.clock - look.clock.now()
        if abs(offset) > MOST_S:
            return missing(f"its clock is more than {MOST_S:.0f} s away from this machine's", f"{self.host}: {offset:+.0f} s")
        return satisfied(f"within {MOST_S:.0f} s")

    def by_hand(self) -> str:
        return f"date -u   # here, and on {self.host}: the same to a few seconds"


def checks(house: House) -> Iterator[Clock]:
    """One for every host that a node's VM is on."""
    for host in sorted({node.host for node in house.vms}):
        yield Clock(host)
