"""Have all hosts of a house on: those that are off are woken over the network by one that is on, or waited for. Starts no VM."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied
from engine.step import WARNING_NOTE, BaseStep, Notes, StepId
from house.model import House

LIMIT_S = 1800.0
"""How long the first host is waited for, whom only a hand switches on; and then as long again the others."""


@dataclass(frozen=True)
class StartHosts(BaseStep):
    """Every host that Proxmox knows is on. Who wants to go on with fewer leaves this step out."""

    house: House
    id = StepId("start.hosts")
    title = "every host on"
    system = "proxmox"
    ready_s = LIMIT_S

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
        return missing(
            f"off, or out of sight of {cluster.asked or 'the others'}: {', '.join(cluster.offline)}; who does not come up by being "
            "woken wants a hand",
            hint="its power button or its BMC; with those that are on alone: invoke cluster.start, without --hosts",
        )  # fmt: skip

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        """Send the packets; that they come up is waited for behind it."""
        deaf = []
        for host in act.proxmox.cluster().offline:
            try:
                act.proxmox.wake_host(host)
            except PermanentError as error:  # one that nobody can wake keeps the others from nothing
                deaf.append(f"{host} is switched on by hand: {error.what}")
        if deaf:
            notes.put(WARNING_NOTE, "; ".join(deaf))

    def by_hand(self) -> str:
        return "pvenode wakeonlan NAME   # on a host that is on, for each that is off; or its power button"
