"""The folder of snapshots and files of other places, without any etcd: what is thinned out, and odd names and files."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.etcd.adapter import KEPT, TalosEtcd
from adapters.etcd.reading import _LAST, _renewed, look_at
from engine.errors import DiskRefused, PermanentError
from engine.files.disk import own_disk
from tests.adapters.etcd.test_etcd import Talosctl, plain, port


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


@pytest.mark.parametrize("ahead", [120, 3600, 10 * 365 * 86400])
def test_a_clock_that_was_set_back_costs_no_snapshot(tmp_path: Path, ahead: int) -> None:
    """Those of before are dated later than now: the one that was taken now is not the oldest, and theirs may be no less good."""
    folder = tmp_path / "etcd"
    folder.mkdir()
    later = time.time() + ahead
    for number in range(KEPT):
        name = f"cp-1-20370101-0000{number:02}.snapshot"
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (later + number, later + number))
    talosctl = port(tmp_path, Talosctl(b"new"))
    for number in range(KEPT + 2):
        name = f"cp-1-20270101-0001{number:02}.snapshot"
        talosctl.take("10.0.0.1", name)
        assert (folder / name).read_bytes() == b"new"
        os.utime(folder / name, (1000 + number, 1000 + number))
    left = [path.name for path in folder.iterdir()]
    assert "cp-1-20270101-000100.snapshot" not in left, "of those that the clock tells apart the oldest go"
    assert ahead < 3600 or sum("2037" in name for name in left) == KEPT


def test_what_a_killed_process_left_in_the_clear_goes_though_the_clock_was_set_back(tmp_path: Path) -> None:
    left = tmp_path / "etcd" / "cp-1-20370101-000000.snapshot.part"
    left.parent.mkdir()
    left.write_bytes(b"all of the cluster")
    os.utime(left, (time.time() + 86400,) * 2)
    port(tmp_path, Talosctl(b"new")).take("10.0.0.1", "cp-1-20270101-000100.snapshot")
    assert not left.exists()


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


def test_a_file_is_read_once_until_it_is_touched_and_whose_it_is_is_asked_once_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = mmap.mmap

    def counted(fileno: int, *given: object, **more: object) -> object:
        read.append(os.fstat(fileno).st_ino)
        return real(fileno, *given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(mmap, "mmap", counted)
    asked: list[None] = []
    (tmp_path / "etcd").mkdir()
    files = [tmp_path / "etcd" / f"cp-{number}-20270101-000000.snapshot" for number in (1, 2)]
    for file in files:
        file.write_bytes(b"x" * 10_240)
    etcd = TalosEtcd(tmp_path, Talosctl(), lambda: asked.append(None) or "", plain(Talosctl()))
    first = etcd.kept()
    assert etcd.kept() == first and etcd.look(files[0].name).name == files[0].name
    assert etcd.look(str(files[0])).name == str(files[0])
    assert (len(read), len(asked)) == (2, 4)
    written = files[1].stat().st_mtime_ns
    files[1].write_bytes(b"y" * 10_240)
    os.utime(files[1], ns=(written, written))  # of the same size, and as old as it was: another file all the same
    etcd.kept()
    assert len(read) == 3 and read[-1] == files[1].stat().st_ino


def test_what_is_recovered_is_read_anew_whatever_was_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etcd").mkdir()
    (tmp_path / "etcd" / "a").write_bytes(b"x" * 10_240)
    etcd = port(tmp_path, Talosctl())
    seen = replace(etcd.look("a"), problem="")

    def unreadable(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error")

    real = mmap.mmap
    monkeypatch.setattr(mmap, "mmap", unreadable)
    with pytest.raises(PermanentError, match="not the file") as caught:
        etcd.recover("10.0.0.1", seen)
    assert caught.value.evidence == ("it cannot be read: Input/output error",)
    another = port(tmp_path, Talosctl())
    assert another.look("a").problem.startswith("it cannot be read")
    monkeypatch.setattr(mmap, "mmap", real)
    assert not another.look("a").problem.startswith("it cannot be read"), "that passed"


def test_what_was_copied_is_on_the_disk_before_anybody_wipes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    port(tmp_path, Talosctl(b"database")).copy("10.0.0.1", "cp-1.copy")
    folder = tmp_path / "etcd"
    assert synced.index((folder / "cp-1.copy").stat().st_ino) < synced.index(folder.stat().st_ino)


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo, lambda path: path.symlink_to("/media/not-mounted")])
def test_snapshots_that_nobody_can_list_are_not_called_none(tmp_path: Path, make: Callable[[Path], object]) -> None:
    assert port(tmp_path, Talosctl()).kept() == ()
    make(tmp_path / "etcd")
    with pytest.raises(DiskRefused) as caught, own_disk():
        port(tmp_path, Talosctl()).kept()
    assert caught.value.evidence == (str(tmp_path / "etcd"),)
