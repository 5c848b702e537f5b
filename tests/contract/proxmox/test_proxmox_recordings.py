"""The adapter against what Proxmox VE's own API code answered, where those recordings are at hand; without them this skips.

They lie in BLACKSTART_PVE_RECORDINGS, by default `../shared/facts/pve-recordings` beside the checkout. Bodies are given to the
real adapter over HTTPS as they were recorded; refusals and the ends of tasks to what translates them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.proxmox.adapter import ProxmoxAdapter
from adapters.proxmox.errors import TokenRefused, refusal
from adapters.proxmox.meanings import HostUnknown, task_failure
from adapters.proxmox.results import PowerState, TaskRef, TaskStatus
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.secrets import Secret
from house.model import ProxmoxAccess, ProxmoxEndpoint, SecretRef
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA

BESIDE = Path(__file__).parents[3].parent / "shared" / "facts" / "pve-recordings"
RECORDED = Path(os.environ.get("BLACKSTART_PVE_RECORDINGS", BESIDE))
Row = dict[str, Any]
# What is a no for good although its status is a 5xx, and what passes: by the words of Proxmox.
PASSING = re.compile(r"got timeout|is locked|no quorum|Permission denied$|resolve host|Connection refused")


def rows() -> list[Row]:
    """Every recorded answer."""
    return [row for file in sorted(RECORDED.glob("*.json")) for row in json.loads(file.read_text())]


pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recordings of Proxmox at {RECORDED}")


def test_every_refusal_has_its_kind() -> None:
    seen = 0
    for row in rows():
        if row["status"] < 400:
            continue
        seen += 1
        body = row["body"] or {}
        error = refusal(row["status"], row["reason"], "do it", body.get("errors"))
        assert isinstance(error, _kind(row)), (row["name"], error)
        assert error.evidence and row["reason"].strip() in error.evidence[0]
    assert seen > 50


def _kind(row: Row) -> type[BlackstartError]:
    if row["status"] == 401:
        return TokenRefused
    if "hostname lookup" in row["reason"] or "no such cluster node" in row["reason"]:
        return HostUnknown
    if row["status"] in (400, 403, 501) and "no such task" not in str(row["body"]):
        return PermanentError
    return TransientError if PASSING.search(row["reason"]) else BlackstartError


def test_every_task_that_ended_badly_has_its_kind_and_a_download_its_reason() -> None:
    seen = 0
    for row in rows():
        task = row.get("task")
        ended = (task or {}).get("status", {}).get("exitstatus", "OK")
        if ended == "OK" or ended.startswith("WARNINGS"):
            continue
        seen += 1
        status = TaskStatus(TaskRef(task["status"]["upid"], "pve-1"), False, False, ended, tuple(task["log"]))
        error = task_failure(status)
        assert isinstance(error, TransientError if PASSING.search(ended) else PermanentError), (row["name"], ended)
        if "exit code 8" in ended:
            assert "ERROR 404" in error.what
    assert seen > 15


class Replay:
    """Answers every look with the last recorded body for its path, asked without a filter; what was not recorded is an empty list.

    VMs whose configuration nobody asked for are left out of their host's list.
    """

    def __init__(self, *groups: str) -> None:
        self.answers: dict[str, Any] = {}
        for row in rows():
            asked = row["request"]
            if row["group"] in groups and asked["method"] == "GET" and row["status"] == 200 and not asked["form"]:
                self.answers[asked["path"]] = row["body"]
        configured = [path.split("/")[4] for path in self.answers if path.endswith("/config")]
        listed = self.answers["/nodes/pve-1/qemu"]["data"]
        listed[:] = [vm for vm in listed if str(vm["vmid"]) in configured]

    def answer(self, request: Request) -> Reply:
        """One answer."""
        path = request.target.removeprefix("/api2/json").partition("?")[0]
        body = self.answers.get(path, {"data": []})
        return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


@pytest.fixture
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProxmoxAdapter]:
    keys = LabCA(tmp_path).server("pve", "127.0.0.1")
    with ExitStack() as stack:
        server = HttpsServer("127.0.0.1", 0, keys.context("http/1.1"), Replay(*request.param).answer).start()
        stack.callback(server.close)
        access = ProxmoxAccess((ProxmoxEndpoint(server.url, keys.fingerprint),), "blackstart@pve!run", SecretRef(("env:X",)))
        found = ProxmoxAdapter(access, lambda: Secret("a-secret"))
        stack.callback(found.close)
        yield found


@pytest.mark.parametrize("adapter", [("looking",)], indirect=True)
def test_a_host_that_stands_alone_is_read(adapter: ProxmoxAdapter) -> None:
    cluster = adapter.cluster()
    assert (cluster.name, cluster.quorate, cluster.online, cluster.offline) == ("", True, ("pve-1",), ())
    (host,) = adapter.hosts()
    assert host.memory_free > 1 << 30 and host.clock > 1_700_000_000
    assert {storage.name for storage in adapter.storages("pve-1")} == {"local", "small", "tank"}


@pytest.mark.parametrize("adapter", [("looking", "noquorum")], indirect=True)
def test_without_quorum_all_looks_go_on_and_a_mute_status_daemon_hides_nothing(adapter: ProxmoxAdapter) -> None:
    cluster = adapter.cluster()
    assert (cluster.quorate, cluster.online, cluster.offline, cluster.silent) == (False, ("pve-1",), ("pve-2",), ("pve-1",))
    assert [host.name for host in adapter.hosts()] == ["pve-1"]
    vm = next(vm for vm in adapter.vms() if vm.vm_id == 8001)
    assert vm.readable and vm.disks and vm.power is PowerState.STOPPED


@pytest.mark.parametrize("adapter", [("looking", "power")], indirect=True)
def test_a_running_vm_is_read_with_its_qcow2_disk(adapter: ProxmoxAdapter) -> None:
    (vm,) = [vm for vm in adapter.vms() if vm.vm_id == 8001]
    assert vm.power is PowerState.RUNNING and vm.token == "blackstart:5f1d7c2a9e:cp-1"
    assert any(disk.volume.endswith(".qcow2") for disk in vm.disks)
    assert vm.memory and vm.macs and not vm.lock
