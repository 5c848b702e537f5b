"""A cluster of four hosts with its Proxmox door, and strangers' clients for it: unmodified proxmoxer, and bare requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from proxmoxer import ProxmoxAPI

from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.house import cluster_for, publish_image
from lab.world.world import World
from tests.contract.proxmox.proxmox_doors import HOUSE, HandClock

SECRET = "1f0c-lab"
PASSWORD = "correct horse"
VM = {"vmid": 100, "memory": 2048, "scsi0": "local-lvm:8", "net0": "virtio,bridge=vmbr0"}


class Bench:
    """A cluster of four hosts with its door, and clients for it."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.pve: LabProxmox = cluster_for(HOUSE, World(self.clock), SECRET)
        self.sha256 = publish_image(self.pve, HOUSE.image.url)
        self.pve.access.users["root@pam"].password = PASSWORD
        self.ca = LabCA(folder)
        self.door = ProxmoxDoor(self.pve, self.ca, dict.fromkeys(self.pve.hosts, ("127.0.0.1", 0))).start()
        self.sessions: list[requests.Session] = []

    def url(self, host: int = 0) -> str:
        """Address of one host's endpoint."""
        return self.door.endpoints()[host].url

    def api(self, user: str = "blackstart@pve", **login: str) -> Any:
        """proxmoxer as it comes; with a token unless a password is given."""
        login = login or {"token_name": "run", "token_value": SECRET}
        port = int(self.url().rpartition(":")[2])
        api = ProxmoxAPI("127.0.0.1", port=port, user=user, verify_ssl=str(self.ca.ca_file), timeout=10, **login)
        self.sessions.append(api._store["session"])
        return api

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One bare request with the token."""
        headers = {"Authorization": f"PVEAPIToken=blackstart@pve!run={SECRET}"} | options.pop("headers", {})
        with requests.Session() as session:
            return session.request(
                method,
                self.url(options.pop("host", 0)) + path,
                headers=headers,
                verify=str(self.ca.ca_file),
                timeout=10,
                **options,
            )

    def wait(self, api: Any, upid: str) -> str:
        """The task's exit status."""
        node = upid.split(":")[1]
        while (status := api.nodes(node).tasks(upid).status.get())["status"] == "running":
            self.clock.sleep(1.0)
        return str(status["exitstatus"])

    def close(self) -> None:
        """End all."""
        for session in self.sessions:
            session.close()
        self.door.close()
