"""The calls that switch hosts. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

from lab.wire.proxmox.reading import Args, Handler
from lab.world.pve.access import NotModelled
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.hosts import HostPower

ASKED_HERE = frozenset({"POST /nodes/{node}/wakeonlan"})
"""Calls that name a host and are answered by the one that is asked: the host itself sleeps."""


class Hosts:
    """The calls about a host's power over one cluster."""

    def __init__(self, pve: LabProxmox) -> None:
        self._power = HostPower(pve)
        self.handlers: dict[str, Handler] = {
            "POST /nodes/{node}/status": self.command,
            "POST /nodes/{node}/wakeonlan": lambda actor, args: self._power.wake(actor, str(args["node"])),
        }

    def command(self, actor: str, args: Args) -> None:
        """Go off; a restart is not modelled."""
        if args["command"] != "shutdown":
            raise NotModelled("a restart of a host")
        self._power.shut_down(actor, str(args["node"]))
