"""A stranger's client of the Proxmox door.

It asks by forms with a ticket, as providers for Terraform do, or by JSON with a token, as clients in Go.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.lab.wire.proxmox_bench import PASSWORD, SECRET, Bench

VM = "/nodes/pve-1/qemu/100"


class Stranger:
    """One way of asking: `sent` is how a body goes out."""

    def __init__(self, bench: Bench, sent: str) -> None:
        self.bench, self.sent = bench, sent
        self.session = requests.Session()
        self.session.verify = str(bench.ca.ca_file)
        self.session.trust_env = False  # else a bundle of the machine's own would be asked instead
        if sent == "json":
            self.session.headers["Authorization"] = f"PVEAPIToken=blackstart@pve!run={SECRET}"
        else:
            made = self("POST", "/access/ticket", username="root@pam", password=PASSWORD)
            self.session.cookies.set("PVEAuthCookie", made["ticket"])
            self.session.headers["CSRFPreventionToken"] = made["CSRFPreventionToken"]

    def __call__(self, method: str, path: str, /, **given: Any) -> Any:
        """The answer's data, a task's once it has ended well; RefusedError with status and reason else."""
        given = {name.replace("_", "-") if name != "background_delay" else name: value for name, value in given.items()}
        if method in ("GET", "DELETE"):
            how: dict[str, Any] = {"params": given}
        elif self.sent == "json":
            how = {"json": given}
        else:
            how = {"data": {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}}
        answer = self.session.request(method, f"{self.bench.url()}/api2/json{path}", timeout=10, **how)
        if answer.status_code != 200:
            raise RefusedError(f"{answer.status_code} {answer.reason} {answer.text}")
        data = answer.json()["data"]
        if isinstance(data, str) and data.startswith("UPID:"):
            self.ended(data)
        return data

    def ended(self, upid: str) -> None:
        """Once that task has ended well; RefusedError with what it ended with else."""
        path = f"/nodes/{upid.split(':')[1]}/tasks/{quote(upid, safe='')}/status"
        while (status := self("GET", path))["status"] == "running":
            self.bench.clock.sleep(1.0)
        if status["exitstatus"] != "OK":
            raise RefusedError(status["exitstatus"])

    def volumes(self, storage: str = "local-lvm") -> list[str]:
        """What is in a storage of the first host."""
        return [row["volid"] for row in self("GET", f"/nodes/pve-1/storage/{storage}/content")]

    def refused(self, method: str, path: str, /, **given: Any) -> str:
        """What a call is refused with."""
        with pytest.raises(RefusedError) as caught:
            self(method, path, **given)
        return str(caught.value)


class RefusedError(Exception):
    """The door said no."""
