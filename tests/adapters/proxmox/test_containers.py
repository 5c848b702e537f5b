"""A container has its id from the same numbers as VMs: one at a node's id is somebody else's, before anything is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.proxmox.adapter import ProxmoxAdapter
from cluster.machines.vms import find_vm
from engine.errors import PermanentError
from engine.secrets import Secret
from house.model import ProxmoxAccess, ProxmoxEndpoint, SecretRef
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA
from tests.builders import a_house

ANSWERS: dict[str, object] = {
    "/api2/json/cluster/resources": [
        {"id": "lxc/8001", "type": "lxc", "vmid": 8001, "node": "pve-1", "name": "dns", "status": "running"}
    ],
    "/api2/json/cluster/status": [{"type": "node", "name": "pve-1", "online": 1}],
    "/api2/json/nodes/pve-1/qemu": [],
}


def answer(request: Request) -> Reply:
    """One host with one container and no VM."""
    body = json.dumps({"data": ANSWERS[request.target.partition("?")[0]]}).encode()
    return Reply(body=body, headers={"Content-Type": "application/json"})


@pytest.fixture
def proxmox(tmp_path: Path) -> Iterator[ProxmoxAdapter]:
    keys = LabCA(tmp_path).server("pve", "127.0.0.1")
    with ExitStack() as stack:
        server = HttpsServer("127.0.0.1", 0, keys.context("http/1.1"), answer).start()
        stack.callback(server.close)
        endpoint = ProxmoxEndpoint(server.url, keys.fingerprint)
        access = ProxmoxAccess((endpoint,), "blackstart@pve!run", SecretRef(("env:X",)))
        adapter = ProxmoxAdapter(access, lambda: Secret("a-secret"))
        stack.callback(adapter.close)
        yield adapter


def test_an_id_that_a_container_has_is_not_free(proxmox: ProxmoxAdapter) -> None:
    house = a_house()
    with pytest.raises(PermanentError, match="VM 8001 on pve-1 is not ours, but cp-1 wants this id") as refused:
        find_vm(proxmox, house, house.node("cp-1"))
    assert refused.value.evidence[0] == "name dns (a container)"
    assert find_vm(proxmox, house, house.node("cp-2")) is None
