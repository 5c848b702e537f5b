"""The folder of snapshots and files of other places, without any etcd: what is thinned out, and odd names and files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.etcd.adapter import KEPT
from adapters.etcd.reading import _LAST, _renewed, look_at
from tests.adapters.etcd.test_etcd import Talosctl, port


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, inner: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(inner)) + inner


def lease(seconds: int) -> bytes:
    """A Lease's protobuf that was renewed then."""
    return b"k8s\x00" + field(2, field(2, field(4, varint(1 << 3) + varint(seconds))))


def test_only_snapshots_that_we_named_are_thinned_out(tmp_path: Path) -> None:
    folder = tmp_path / "etcd"
    folder.mkdir()
    (folder / "before-the-upgrade.snapshot").write_bytes(b"")
    os.utime(folder / "before-the-upgrade.snapshot", (1, 1))
    for number in range(KEPT + 5):
        for kind in ("snapshot", "copy"):
            name = f"cp-1-20270101-0000{number:02}.{kind}"
            (folder / name).write_bytes(b"")
            os.utime(folder / name, (1000 + number, 1000 + number))
    port(tmp_path, Talosctl(b"new")).take("10.0.0.1", "cp-1-20270101-000100.snapshot")
    assert len(list(folder.glob("*.copy"))) == KEPT + 5
    left = sorted(path.name for path in folder.glob("*.snapshot"))
    assert left.pop(0) == "before-the-upgrade.snapshot", "a person has put it there"
    assert (len(left), left[0], left[-1]) == (KEPT, "cp-1-20270101-000006.snapshot", "cp-1-20270101-000100.snapshot")


@pytest.mark.parametrize("name", ["x" * 300, "/" + "x" * 300, "no/such/folder", ".", "äöü"])
def test_no_name_is_worse_than_an_answer(tmp_path: Path, name: str) -> None:
    assert port(tmp_path, Talosctl()).look(name).problem.startswith(("it cannot be read", "it is no file"))


def test_a_pipe_is_not_waited_for_and_a_bad_file_says_when_it_was_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert look_at(tmp_path / "pipe").problem == "it is no file"
    (tmp_path / "torn").write_bytes(b"x" * 100_000)
    os.utime(tmp_path / "torn", (1000, 1000))
    assert look_at(tmp_path / "torn").written == 1000.0


@pytest.mark.parametrize(("said", "read"), [(1_800_000_000, 1_800_000_000.0), (_LAST, 0.0), (2**64 - 1, 0.0), (0, 0.0)])
def test_a_time_that_no_calendar_has_is_none(said: int, read: float) -> None:
    assert _renewed(lease(said)) == read
