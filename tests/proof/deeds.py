"""What is done to a copy of the good repository, by name: harm, oddities, and what does no harm. Judges nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from tests.proof.master import HOUR, PASSWORD, Master, change, pack_file, restic, without_id
from tests.proof.sealing import key_of, put, put_json, put_key

T = TypeVar("T")


def data_pack(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.data[-1])


def first_pack(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.data[0])


def tree_pack(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.trees[-1])


def newest_index(folder: Path, master: Master) -> Path:
    return folder / "index" / master.indexes[-1]


def newest_snapshot(folder: Path, master: Master) -> Path:
    return folder / "snapshots" / str(master.newest["id"])


def each(things: Iterable[T], do: Callable[[T], object]) -> None:
    for thing in list(things):
        do(thing)


def read_only(folder: Path, master: Master) -> None:
    each((path for path in folder.rglob("*") if path.is_file()), lambda path: path.chmod(0o444))


def emptied(folder: Path, master: Master) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def asked(folder: Path, *words: str) -> None:
    done = restic(folder, *words)
    assert done.returncode == 0, done.stderr


def pruned(folder: Path, master: Master) -> None:
    asked(folder, "forget", "--keep-last", "1", "--prune", "--max-unused", "0")


def many(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for number in range(200):
        moment = iso(time.time() - (4 + number / 2) * HOUR)
        put_json(folder, key, "snapshots", without_id(master.newest) | {"time": moment})


def second_key(folder: Path, master: Master) -> None:
    put_key(folder, key_of(folder, PASSWORD), "another password")


def no_summary(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for snapshot in master.snapshots:
        (folder / "snapshots" / snapshot["id"]).unlink()
        bare = {name: value for name, value in without_id(snapshot).items() if name != "summary"}
        put_json(folder, key, "snapshots", bare)


def left_over(folder: Path, master: Master) -> None:
    (folder / "data" / "00" / f"{'00' * 32}-tmp-1234").write_bytes(b"half a pack")
    extra = random.Random(9).randbytes(5000)
    name = put(folder, "data", extra)
    name.rename(folder / "data" / name.name[:2] / name.name)


def strangers(folder: Path, master: Master) -> None:
    """What desktops, file servers and writers that were cut off leave beside restic's files."""
    for name in ("keys", "snapshots", "index", "locks"):
        for stranger in (".DS_Store", ".nfs000000000123456700000001", f"{'ab' * 32}-tmp-123", f"._{'ab' * 32}", "Thumbs.db"):
            put_text(folder / name / stranger, "no file of restic's, and longer than forty bytes at that")
        put_text(folder / name / f"{'cd' * 32}-tmp-123", "")


def renamed(file: Path, name: str) -> None:
    file.rename(file.with_name(name))


def one_more(folder: Path, master: Master) -> None:
    volume = folder.with_name(f"{folder.name}-volume")
    volume.mkdir()
    change(volume, 7)
    backed_up(folder, volume)


def cut(file: Path, count: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-count])


def longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"something behind it")


def longer_noise(file: Path) -> None:
    file.write_bytes(random.Random(6).randbytes(file.stat().st_size + 5000))


def behind(file: Path, before: bytes) -> None:
    file.write_bytes(before + file.read_bytes())


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def noise(file: Path) -> None:
    file.write_bytes(random.Random(5).randbytes(file.stat().st_size))


def astray(folder: Path, pack: str) -> None:
    other = folder / "data" / f"{(int(pack[:2], 16) + 1) % 256:02x}"
    pack_file(folder, pack).rename(other / pack)


def pipe_for(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def folder_for(file: Path) -> None:
    file.unlink()
    file.mkdir()


def dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def swapped(one: Path, two: Path) -> None:
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def swap_alike(folder: Path, master: Master) -> None:
    """Noise of one length makes packs of one length."""
    volume, before = folder.with_name(f"{folder.name}-volume"), set(packs_of(folder))
    volume.mkdir()
    for number in range(3):  # as before, so that noise is all that is new
        change(volume, number)
    for seed in (21, 22):
        (volume / "noise").write_bytes(random.Random(seed).randbytes(200_000))
        backed_up(folder, volume)
    one, two = sorted((set(packs_of(folder)) - before), key=lambda file: -file.stat().st_size)[:2]
    assert one.stat().st_size == two.stat().st_size
    swapped(one, two)


def packs_of(folder: Path) -> list[Path]:
    return [file for file in (folder / "data").rglob("*") if file.is_file()]


def backed_up(folder: Path, volume: Path, *drop: str) -> None:
    """One more snapshot, of what is in `volume`, as a mover makes it; `drop` are names of it that older restics did not write."""
    done = restic(folder, "backup", "--host", "volsync", ".", cwd=volume)
    assert done.returncode == 0, done.stderr
    key = key_of(folder, PASSWORD)
    for file in (folder / "snapshots").iterdir():
        told = json.loads(key.unpacked(file.read_bytes()))
        if told["paths"] != ["/data"]:
            file.unlink()
            kept = {name: value for name, value in told.items() if name not in drop}
            put_json(folder, key, "snapshots", kept | {"paths": ["/data"]})


def foreign_index(folder: Path, master: Master) -> None:
    file = next((another(folder) / "index").iterdir())
    shutil.copy(file, folder / "index" / file.name)


def ghost_index(folder: Path, master: Master) -> None:
    blob = {"id": "cd" * 32, "type": "data", "offset": 0, "length": 100}
    put_json(folder, key_of(folder, PASSWORD), "index", {"packs": [{"id": "ef" * 32, "blobs": [blob]}]})


def forgetful_index(folder: Path, master: Master) -> None:
    key, file = key_of(folder, PASSWORD), folder / "index" / master.indexes[-1]
    told = json.loads(key.unpacked(file.read_bytes()))
    file.unlink()
    kept = [pack for pack in told["packs"] if pack["blobs"][0]["type"] == "tree"]
    put_json(folder, key, "index", {"packs": kept})


def resnap(folder: Path, master: Master, *, keep: bool = False, **changes: Any) -> None:
    if not keep:
        (folder / "snapshots" / master.newest["id"]).unlink()
    put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | changes)


def only(folder: Path, master: Master, **changes: Any) -> None:
    for snapshot in master.snapshots[:-1]:
        (folder / "snapshots" / snapshot["id"]).unlink()
    resnap(folder, master, **changes)


def data_for_a_tree(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    told = json.loads(key.unpacked((folder / "index" / master.indexes[-1]).read_bytes()))
    blob = next(b["id"] for pack in told["packs"] for b in pack["blobs"] if b["type"] == "data")
    resnap(folder, master, tree=blob)


def foreign_snapshot(folder: Path, master: Master) -> None:
    file = next((another(folder) / "snapshots").iterdir())
    shutil.copy(file, folder / "snapshots" / file.name)


def folders_only(folder: Path, master: Master) -> None:
    volume = folder.with_name(f"{folder.name}-volume")
    (volume / "a" / "b").mkdir(parents=True)
    for file in (folder / "snapshots").iterdir():
        file.unlink()
    backed_up(folder, volume, "summary")


def mended(folder: Path, lost: Path) -> None:
    lost.unlink()
    asked(folder, "repair", "index")
    asked(folder, "repair", "snapshots", "--forget")


def mended_alone(folder: Path, master: Master) -> None:
    only(folder, master)
    mended(folder, data_pack(folder, master))


def stopped(folder: Path, master: Master) -> None:
    only(folder, master, time=iso(time.time() - 30 * 24 * HOUR))
    put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | {"time": "2038-01-01T00:00:00Z"})


def one_second(folder: Path, master: Master) -> None:
    second = master.newest["time"][:19]
    resnap(folder, master, time=f"{second}.100000000Z")
    small = {**(master.newest.get("summary") or {}), "total_files_processed": 1, "total_bytes_processed": 10}
    key = key_of(folder, PASSWORD)
    put_json(folder, key, "snapshots", without_id(master.snapshots[0]) | {"time": f"{second}.900000000Z", "summary": small})


def partial(folder: Path, master: Master) -> None:
    small = {**(master.newest.get("summary") or {}), "total_files_processed": 2, "total_bytes_processed": 30}
    for minutes in range(14):
        moment = iso(time.time() - (60 - 4 * minutes) * 60)
        changes = {"time": moment, "summary": small, "tree": "ab" * 32}
        put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | changes)


def another(folder: Path) -> Path:
    """Another repository with a snapshot in it, made once beside all cases."""
    other = folder.parent / "another-repository"
    if not other.exists():
        volume = folder.parent / "another-volume"
        volume.mkdir()
        (volume / "theirs").write_text("another's")
        for words in (("init",), ("backup", ".")):
            done = restic(other, *words, cwd=volume)
            assert done.returncode == 0, done.stderr
    return other


def foreign_config(folder: Path) -> None:
    (folder / "config").write_bytes((another(folder) / "config").read_bytes())


def foreign_key(folder: Path, master: Master) -> None:
    for file in (folder / "keys").iterdir():
        file.unlink()
    for file in (another(folder) / "keys").iterdir():
        shutil.copy(file, folder / "keys" / file.name)


def other_password(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for file in (folder / "keys").iterdir():
        file.unlink()
    put_key(folder, key, "another password")


def kopia(folder: Path, master: Master) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    put_text(folder / "kopia.repository.f", "{}")


def put_lock(folder: Path, hours: float, *, exclusive: bool) -> None:
    told = {"time": iso(time.time() - hours * HOUR), "exclusive": exclusive, "hostname": "mover-1", "username": "root", "pid": 1}
    file = put_json(folder, key_of(folder, PASSWORD), "locks", told)
    os.utime(file, (time.time() - hours * HOUR,) * 2)


def put_text(file: Path, text: str) -> None:
    file.write_text(text)


def iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".000000000Z"


def a_lock(folder: Path, master: Master) -> Path:
    """The place of a lock that is none, to be put something else in."""
    file = folder / "locks" / ("ab" * 32)
    file.write_text("")
    return file


def a_key(folder: Path, master: Master) -> Path:
    """The place of a second key, before the good one."""
    file = folder / "keys" / ("00" * 32)
    file.write_text("")
    return file
