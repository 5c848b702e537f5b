"""The power of whole hosts, as the API of Proxmox has it: one that is told to go off, one that is woken. Knows no protocol."""

from __future__ import annotations

from lab.world.pve.access import Refusal
from lab.world.pve.cluster import LabHost, LabProxmox
from lab.world.pve.vm import PowerEvent


class HostPower:
    """The two requests about a host's power, on one cluster. Neither asks for a quorum, neither is a task."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox

    def shut_down(self, actor: str, name: str) -> None:
        """Go off: its guests are ended first. Who asks is answered before that begins."""
        self._pve.access.require(actor, f"/nodes/{name}", "Sys.PowerMgmt")
        host = self._pve.reach(name)

        def off() -> None:
            if host.online and host.going:
                for vm in self._pve.vms_on(name):
                    self._pve.power(vm, PowerEvent.STOPPED)
                self._pve.host_down(name)
                self._pve.world.happened("proxmox", f"host {name} off")

        if not host.going:
            host.going = True
            self._pve.world.after(self._pve.delays.host_down_s, f"host {name} goes off", off)

    def wake(self, actor: str, name: str) -> str:
        """Send a packet that wakes it; answers the MAC that is in it. Who sends it is the first host that is on."""
        self._pve.access.require(actor, f"/nodes/{name}", "Sys.PowerMgmt")
        host = self._pve.hosts.get(name)
        if host is None:
            raise Refusal(500, f"no such cluster node '{name}'")
        if name == self._pve.online[0]:
            raise Refusal(500, f"'{name}' is local node, cannot wake my self!")
        if not host.wake_mac:
            raise Refusal(500, f"No wake on LAN MAC address defined for '{name}'!")
        if not host.online and not host.waking:
            host.waking = True
            self._pve.world.after(self._pve.delays.host_up_s, f"host {name} comes up", lambda: self._up(host))
        return host.wake_mac

    def _up(self, host: LabHost) -> None:
        host.waking = False
        if not host.online:
            self._pve.host_up(host.name)
            self._pve.world.happened("proxmox", f"host {host.name} on")
