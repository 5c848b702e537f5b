"""lab.up to lab.down with unmodified clients: from a bare Proxmox host to the application that Flux brought."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import PermanentError
from lab.houses.nouns import HouseFolder
from lab.parts.supervisor import ProcessId, Supervisor
from lab.running.control import ask
from lab.running.starting import daemon, start, stop
from tests.contract.apiserver import needed, program
from tests.lab.by_hand import Hand

pytestmark = [pytest.mark.programs, pytest.mark.houses]
PROGRAMS = (
    "talosctl",
    "talhelper",
    "kubectl",
    "helm",
    "helmfile",
    "etcd",
    "kube-apiserver",
    "volsync",
    "source-controller",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[HouseFolder]:
    needed(*PROGRAMS)
    folder = HouseFolder(tmp_path / "one-node")
    yield folder
    stop("one-node", folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseFolder]:
    """A house of bare hosts that runs, for the tests that follow one another in it; the last one kills it."""
    needed(*PROGRAMS)
    folder = HouseFolder(tmp_path_factory.mktemp("empty") / "one-node")
    start("one-node", "empty", 20.0, folder)
    yield folder
    stop("one-node", folder)


def marked(folder: HouseFolder) -> list[int]:
    """Processes that carry this lab's mark."""
    mark = str(folder.parts).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and ProcessId.of(int(entry.name)):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.mark.long
def test_a_house_comes_up_by_hand_from_a_bare_host_to_the_claim_that_flux_brought(
    folder: HouseFolder, tmp_path: Path
) -> None:
    start("one-node", "empty", 20.0, folder)
    hand = Hand(folder.endpoints, tmp_path)
    hand.make_vm()
    hand.install_talos()
    hand.until(lambda: "NotReady" in hand.kubectl("get", "node", "cp-1", check=False), "node joined")
    hand.install_releases()
    hand.until(lambda: " Ready " in hand.kubectl("get", "node", "cp-1"), "node ready")
    size = hand.kubectl("get", "node", "cp-1", "-o", "jsonpath={.status.capacity.cpu} {.status.capacity.memory}")
    assert size == "2 4Gi"  # what its VM has
    hand.until(lambda: "notes" in hand.kubectl("get", "pvc", "--namespace", "selfhosted", check=False), "claim")
    seen = ask(folder.control, {"do": "status"})
    assert seen["errors"] == []
    assert seen["unknown_calls"] == []
    assert [vm["running"] for vm in seen["vms"]] == [True]
    assert len(seen["etcd"]["cp-1"]) == 1
    assert "talos.bootstrap_etcd/" in " ".join(seen["faults"]["reached"])
    assert marked(folder)
    assert stop("one-node", folder)
    assert marked(folder) == []
    assert daemon(folder) is None


def test_a_death_ends_the_process_that_was_named(empty: HouseFolder, tmp_path: Path) -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "300"], {}, setsid=True)
    with pytest.raises(PermanentError, match="no mutation that goes over a wire"):
        ask(empty.control, {"do": "arm", "at": "proxmox.downlod_image/*", "fault": "die-before"})
    reply = ask(
        empty.control,
        {"do": "arm", "at": "proxmox.download_image/*", "fault": "die-before", "pid": pid, "group": True},
    )
    assert reply["fault"] == "die-before"
    hand = Hand(empty.endpoints, tmp_path)
    with pytest.raises(Exception, match=r"(?i)connection|remote"):
        hand.make_vm()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    faults = ask(empty.control, {"do": "faults"})
    assert faults["deaths"] == ["proxmox.download_image/pve-1"]
    assert [struck["fault"] for struck in faults["struck"]] == ["die-before"]


def test_nothing_of_a_killed_house_survives_the_next_start(empty: HouseFolder) -> None:
    killed = daemon(empty)
    assert killed is not None
    with pytest.raises(PermanentError, match="runs already"):
        start("one-node", "empty", 20.0, empty)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait_gone(10)
    told = start("one-node", "wrong-clock", 20.0, empty)
    assert told["daemon"]["pid"] != killed.pid
    assert empty.control.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("house", "scenario", "word"), [("big-house", "empty", "house"), ("one-node", "flood", "scenario")]
)
def test_unknown_names_are_refused_before_anything_is_made(
    tmp_path: Path, house: str, scenario: str, word: str
) -> None:
    folder = HouseFolder(tmp_path / "new")
    with pytest.raises(PermanentError, match=f"there is no {word}"):
        start(house, scenario, 1.0, folder)
    assert not folder.root.exists()


def test_a_sweep_of_a_house_that_never_was_finds_nothing(tmp_path: Path) -> None:
    assert Supervisor(tmp_path).sweep() == ()


def restic(folder: HouseFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = json.loads(folder.endpoints.read_text())
    s3, path = told["s3"], program("restic")
    assert path is not None
    environment = {
        "HOME": str(folder.root),
        "RESTIC_REPOSITORY": s3["backups"] + "/notes",
        "RESTIC_PASSWORD_FILE": s3["restic_password_file"],
        "RESTIC_CACERT": told["ca_file"],
        "AWS_ACCESS_KEY_ID": Path(s3["key_id_file"]).read_text(),
        "AWS_SECRET_ACCESS_KEY": Path(s3["key_file"]).read_text(),
    }
    argv = [path, "--no-lock", "--no-cache", *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("scenario", "snapshots"), [("nas-read-only", 1), ("backup-half-uploaded", 0)])
def test_a_house_has_a_past(folder: HouseFolder, scenario: str, snapshots: int) -> None:
    start("one-node", scenario, 20.0, folder)
    listed = restic(folder, "snapshots", "--json")
    found = json.loads(listed.stdout)
    assert len(found) == snapshots, listed.stderr
    assert all(snapshot["paths"] == ["/data"] and snapshot["hostname"] == "volsync" for snapshot in found)
    assert ask(folder.control, {"do": "status"})["vms"] == []
    if snapshots:
        listing = restic(folder, "ls", "--json", "latest").stdout.splitlines()
        files = [entry for line in listing if (entry := json.loads(line)).get("type") == "file"]
        assert len(files) == 40
        assert {entry["uid"] for entry in files} == ({1000} if os.geteuid() == 0 else {0})
        takes_no_write(folder)


def takes_no_write(folder: HouseFolder) -> None:
    """The store of this scenario gives its backups, and not even a lock is written."""
    written = restic(folder, "tag", "--set", "seen", "latest")
    assert written.returncode != 0
    assert "Access Denied" in written.stderr


def test_a_scenario_of_nodes_that_a_house_has_not_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    folder = HouseFolder(tmp_path / "new")
    with pytest.raises(PermanentError, match="has not the nodes"):
        start("one-node", "one-control-plane-lost", 1.0, folder)
    assert not folder.root.exists()
