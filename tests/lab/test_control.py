"""The digest that the lab takes of a volume tells any change of data, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.houses.nouns import FOUR_NODES
from lab.parts.errors import PartFailed
from lab.running.control import ask, can_strike, digest_of
from tests.crash.wire.faults import mutations


def volume(folder: Path) -> Path:
    (folder / "lost+found").mkdir(parents=True)
    (folder / "photos").mkdir()
    (folder / "photos" / "one").write_bytes(b"first")
    (folder / "two").write_bytes(b"second")
    (folder / "link").symlink_to("two")
    return folder


def test_a_copy_has_the_same_digest_whatever_its_modes_and_times(tmp_path: Path) -> None:
    first, copy = volume(tmp_path / "first"), tmp_path / "copy"
    shutil.copytree(first, copy, symlinks=True)
    (copy / "two").chmod(0o600)
    (copy / "lost+found" / "piece").write_bytes(b"of no one")
    assert digest_of(copy) == digest_of(first)
    assert digest_of(first)["files"] == 2
    assert digest_of(first)["bytes"] == 11


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "two").write_bytes(b"Second"),
        lambda folder: (folder / "two").rename(folder / "three"),
        lambda folder: (folder / "photos" / "one").unlink(),
        lambda folder: (folder / "empty").mkdir(),
        lambda folder: [(folder / "link").unlink(), (folder / "link").symlink_to("photos")],
        lambda folder: [(folder / "photos" / "one").unlink(), (folder / "photos" / "one").mkdir()],
    ],
)
def test_any_change_of_data_changes_the_digest(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = volume(tmp_path / "volume")
    before = digest_of(folder)["sha256"]
    change(folder)
    assert digest_of(folder)["sha256"] != before


@pytest.mark.parametrize(
    "at", ["proxmox.create_vm/8001#1", "proxmox.*", "*/8001#2", "*", "s3.put_object/backups/*", "talos.apply*"]
)
def test_a_fault_waits_for_a_mutation_that_a_server_of_the_lab_plays(at: str) -> None:
    assert can_strike(at)


@pytest.mark.parametrize(
    "at", ["proxmox.creat_vm/8001#1", "proxmox.create_vm", "releases.sync/kube-system/coredns#1", "", "hold.*"]
)
def test_a_fault_that_could_never_strike_is_seen(at: str) -> None:
    assert not can_strike(at)


def test_every_mutation_of_a_bootstrap_that_goes_over_a_wire_can_be_struck() -> None:
    assert all(can_strike(f"{name}#1") for name in mutations(FOUR_NODES, "127.20.0"))


def test_a_house_that_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="does not answer"):
        ask(tmp_path / "control.sock", {"do": "status"})
