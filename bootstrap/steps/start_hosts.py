"""Have all hosts of a house on: those that are off are woken over the network by one that is on, or waited for. Starts no VM."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.waiting import wait_until
from house.model import House

FIRST_S, BOOT_S = 1800.0, 900.0
"""How long the first host is waited for, whom only a hand switches on; and how long the others take from then on."""


@dataclass(frozen=True)
class StartHosts(BaseStep):
    """Every host that Proxmox knows is on. Who wants to go on with fewer leaves this step out."""

    house: House
    id = StepId("start.hosts")
    title = "every host on"
    system = "proxmox"
    ready_s = FIRST_S

    def probe(self, look: LookContext) -> Probe:
        try:
            cluster = look.proxmox.cluster()
        except TransientError as error:
            hosts = ", ".join(sorted({node.host for node in self.house.vms}))
            return changing(
                f"no Proxmox host answers: waiting for the first one ({hosts}), which only a hand switches on",
                error.as_told().what,
                hint="its power button or its BMC; the others are woken from there, as far as they can be",
            )  # fmt: skip
        if not cluster.offline:
            return satisfied(f"on: {', '.join(cluster.online)}")
        return missing(f"off, or out of sight of {cluster.asked or 'the others'}: {', '.join(cluster.offline)}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        deaf = [host for host in act.proxmox.cluster().offline if not self._woken(act, host)]
        told = f" ({', '.join(deaf)}: not woken, switch it on by hand)" if deaf else ""
        wait_until(
            act.clock, lambda: not act.proxmox.cluster().offline or None, limit_s=BOOT_S, what=f"every host to come up{told}"
        )

    def _woken(self, act: ActContext, host: str) -> bool:
        """Whether a packet went out. One that nobody can wake keeps the others from nothing."""
        try:
            act.proxmox.wake_host(host)
        except PermanentError:
            return False
        return True

    def by_hand(self) -> str:
        return "pvenode wakeonlan NAME   # on a host that is on, for each that is off; or its power button"
