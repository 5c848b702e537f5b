"""Each value that Proxmox answers with, as each other type: a look costs an answer then, and no run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.proxmox.adapter import ProxmoxAdapter
from engine.errors import BlackstartError, TransientError
from engine.secrets import Secret
from lab.wire.https import Request
from lab.wire.pki import LabCA
from lab.wire.proxmox.door import ProxmoxDoor
from tests.contract.proxmox.proxmox_doors import HOUSE, PARTY, TOKEN, modelled_door
from tests.fuzz.shapes import sweep

RIGHTS = [("/vms", "VM.Audit"), ("/storage/local", "Datastore.Audit")]


class Told(ProxmoxAdapter):
    """Asks whoever `answer` is, in place of sessions."""

    answer: Callable[[str, Mapping[str, Any]], Any]

    def _send(self, method: str, path: str, doing: str, parameters: Mapping[str, str | int | bool] | None = None) -> Any:
        return self.answer(path, parameters or {})


def told(answer: Callable[[str, Mapping[str, Any]], Any]) -> Told:
    adapter = Told(HOUSE.proxmox, lambda: Secret("a-secret"), party=PARTY)
    adapter.answer = answer
    return adapter


def looks(adapter: ProxmoxAdapter) -> None:
    for look in (
        adapter.cluster, adapter.hosts, adapter.vms, adapter.running_tasks, adapter.reservation, adapter.ceph,
        lambda: adapter.missing_privileges(RIGHTS), lambda: adapter.storages("pve-1"), lambda: adapter.images("pve-1", "local"),
        lambda: adapter.left_disks("pve-1", "local", 8001), lambda: adapter.backups(8001),
    ):  # fmt: skip
        try:
            look()
        except BlackstartError:
            continue


@pytest.fixture
def ask(tmp_path: Path) -> Callable[[str, Mapping[str, Any]], Any]:
    """What a house with one VM of ours answers."""
    door = modelled_door()
    door.with_vm()
    wire = ProxmoxDoor(door.pve, LabCA(tmp_path), {})
    door.pve.access.tokens[HOUSE.proxmox.token_id].secret = "a-secret"
    said = {"authorization": f"PVEAPIToken={HOUSE.proxmox.token_id}=a-secret"}

    def asked(path: str, parameters: Mapping[str, Any]) -> Any:
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        reply = wire.answer(Request("GET", f"/api2/json{path}?{query}", said, b""))
        return json.loads(reply.body)["data"] if reply.status == 200 else None

    return asked


def test_no_answer_of_another_shape_is_a_bug(ask: Callable[[str, Mapping[str, Any]], Any]) -> None:
    kept: dict[str, Any] = {}

    def once(path: str, parameters: Mapping[str, Any]) -> Any:
        key = f"{path} {sorted(parameters.items())}"
        if key not in kept:
            kept[key] = ask(path, parameters)
        return kept[key]

    adapter = told(once)
    vms = adapter.vms()
    assert [vm.token for vm in vms] == [TOKEN]
    looks(adapter)
    for answer in (one for one in kept.values() if isinstance(one, list)):
        del answer[2:]  # two of a kind say what all would
    whole = {key: answer for key, answer in kept.items() if answer}
    adapter.answer = lambda path, parameters: whole.get(f"{path} {sorted(parameters.items())}", [])
    assert sweep(whole, lambda: looks(adapter), (), every=29) > 100


@pytest.mark.parametrize("rows", [[], [{"type": "node", "name": "pve-1"}, {"type": "node", "name": "pve-2"}]])
def test_a_cluster_of_which_nothing_is_said_has_no_quorum(rows: list[dict[str, str]]) -> None:
    """A host that stands alone has none to lose; two of which it is not said have not."""
    with pytest.raises(TransientError, match="unknown shape"):
        told(lambda path, parameters: rows if path == "/cluster/status" else [] if path == "/nodes" else {}).cluster()
