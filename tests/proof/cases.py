"""What is done to a copy of the good repository: each case is one thing that can happen to a backup. Judges nothing.

`good` is what was done no harm to; `silent` is harm that leaves every name and size as it was, so that only reading finds it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.proof.master import HOUR, PASSWORD, Master, change, pack_file, restic, without_id
from tests.proof.sealing import key_of, put, put_json, put_key

T = TypeVar("T")
Do = Callable[[Path, Master], object]


@dataclass(frozen=True)
class Case:
    """One repository. `user`: looked at and restored by one who is not its owner. `store`: also played at the S3 door."""

    name: str
    do: Do
    good: bool = False
    silent: bool = False
    user: bool = False
    store: bool = False


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _good()
    yield from _packs()
    yield from _indexes()
    yield from _snapshots()
    yield from _heads()
    yield from _locks()
    yield from _permissions()


def nothing(folder: Path, master: Master) -> None:
    """Leave it as it is."""


def _good() -> Iterator[Case]:
    yield Case("good", nothing, good=True, store=True)
    yield Case("good, read-only", _read_only, good=True)
    yield Case("good, pruned", _pruned, good=True, store=True)
    yield Case("good, 200 snapshots", _many, good=True)
    yield Case("good, a second key", _second_key, good=True)
    yield Case("good, rewritten by repair index", lambda f, _: _asked(f, "repair", "index"), good=True)
    yield Case("good, without summaries", _no_summary, good=True)
    yield Case("good, an upload that broke off", _left_over, good=True)
    yield Case("good, a stranger's file in the root", lambda f, _: _text(f / "README.md", "ours"), good=True)
    yield Case("good, strangers' files among restic's own", _strangers, good=True, store=True)
    yield Case("good, one more backup, all packed small", _one_more, good=True)


def _packs() -> Iterator[Case]:
    yield Case("newest data pack missing", lambda f, m: _data(f, m).unlink(), store=True)
    yield Case("first data pack missing", lambda f, m: _first(f, m).unlink())
    yield Case("newest tree pack missing", lambda f, m: _tree(f, m).unlink(), store=True)
    yield Case("oldest tree pack missing", lambda f, m: pack_file(f, m.trees[0]).unlink())
    yield Case("all data packs missing", lambda f, m: _each(m.data, lambda p: pack_file(f, p).unlink()))
    yield Case("all tree packs missing", lambda f, m: _each(m.trees, lambda p: pack_file(f, p).unlink()))
    yield Case("every pack missing", lambda f, m: _each((*m.data, *m.trees), lambda p: pack_file(f, p).unlink()))
    yield Case("data folder gone", lambda f, _: shutil.rmtree(f / "data"))
    yield Case("data pack a byte short", lambda f, m: _cut(_data(f, m), 1), store=True)
    yield Case("data pack 37 bytes short", lambda f, m: _cut(_data(f, m), 37))
    yield Case("data pack 5000 bytes short", lambda f, m: _cut(_data(f, m), 5000))
    yield Case("tree pack a byte short", lambda f, m: _cut(_tree(f, m), 1))
    yield Case("data pack of no bytes", lambda f, m: _data(f, m).write_bytes(b"") and None, store=True)
    yield Case("tree pack of no bytes", lambda f, m: _tree(f, m).write_bytes(b""))
    yield Case("every pack of no bytes", lambda f, m: _each((*m.data, *m.trees), lambda p: pack_file(f, p).write_bytes(b"")))
    yield Case("data pack longer", lambda f, m: _longer(_data(f, m)))
    yield Case("data pack longer, of other bytes", lambda f, m: _longer_noise(_data(f, m)), store=True)
    yield Case("data pack behind a byte", lambda f, m: _behind(_data(f, m), b"x"))
    yield Case("tree pack behind a byte", lambda f, m: _behind(_tree(f, m), b"x"))
    yield Case("first data pack longer, of other bytes", lambda f, m: _longer_noise(_first(f, m)))
    yield Case("data pack in another folder", lambda f, m: _astray(f, m.data[-1]))
    yield Case("data pack is a folder", lambda f, m: _folder_for(_data(f, m)))
    yield Case("data pack is a dangling link", lambda f, m: _dangling(_data(f, m)))
    yield Case("two packs swapped, of other sizes", lambda f, m: _swapped(_data(f, m), _tree(f, m)))
    yield Case("tree pack, one bit", lambda f, m: _flip(_tree(f, m), 20))
    yield Case("tree pack all zeros", lambda f, m: _zeros(_tree(f, m)))
    yield Case("data pack, one bit", lambda f, m: _flip(_data(f, m), 1000), silent=True, store=True)
    yield Case("first data pack, one bit", lambda f, m: _flip(_first(f, m), 1000), silent=True)
    yield Case("data pack, its last bit", lambda f, m: _flip(_data(f, m), -1), silent=True)
    yield Case("data pack all zeros", lambda f, m: _zeros(_data(f, m)), silent=True)
    yield Case("data pack all noise", lambda f, m: _noise(_data(f, m)), silent=True)
    yield Case("two packs swapped, of one size", _swap_alike, silent=True)


def _indexes() -> Iterator[Case]:
    yield Case("every index missing", lambda f, m: _each(m.indexes, lambda i: (f / "index" / i).unlink()), store=True)
    yield Case("index folder gone", lambda f, _: shutil.rmtree(f / "index"))
    yield Case("newest index missing", lambda f, m: _index(f, m).unlink(), store=True)
    yield Case("oldest index missing", lambda f, m: (f / "index" / m.indexes[0]).unlink())
    yield Case("index a byte short", lambda f, m: _cut(_index(f, m), 1))
    yield Case("index of no bytes", lambda f, m: _index(f, m).write_bytes(b""))
    yield Case("index, one bit", lambda f, m: _flip(_index(f, m), 60))
    yield Case("index is noise", lambda f, m: _noise(_index(f, m)))
    yield Case("newest index renamed", lambda f, m: _renamed(_index(f, m), f"{m.indexes[-1]}.bak"))
    yield Case("newest index under another id", lambda f, m: _renamed(_index(f, m), "0" * 64))
    yield Case("oldest index renamed", lambda f, m: _renamed(f / "index" / m.indexes[0], f"{m.indexes[0]}-tmp-1"))
    yield Case("index of another repository", _foreign_index)
    yield Case("index names a pack that is not there", _ghost_index)
    yield Case("newest index forgets its data", _forgetful_index)


def _snapshots() -> Iterator[Case]:
    now = time.time()
    yield Case("newest snapshot of an unknown tree", lambda f, m: _resnap(f, m, tree="ab" * 32))
    yield Case("newest snapshot of a file's data for a tree", _data_for_a_tree)
    yield Case("newest snapshot a byte short", lambda f, m: _cut(_snapshot(f, m), 1))
    yield Case("newest snapshot of no bytes", lambda f, m: _snapshot(f, m).write_bytes(b""))
    yield Case("every snapshot of no bytes", lambda f, m: _each((f / "snapshots").iterdir(), lambda p: p.write_bytes(b"")))
    yield Case("every snapshot gone", lambda f, _: _each((f / "snapshots").iterdir(), lambda p: p.unlink()))
    yield Case("snapshot of another repository", _foreign_snapshot)
    yield Case("folders only, no summary", _folders_only)
    yield Case("other paths only", lambda f, m: _only(f, m, paths=["/data2"]))
    yield Case("another host's is the newest", lambda f, m: _resnap(f, m, hostname="neighbour", time=_iso(now - HOUR), keep=True))
    yield Case("all dated in the future", lambda f, m: _only(f, m, time="2038-01-01T00:00:00Z"))
    yield Case("newest mended by repair snapshots", lambda f, m: _mended(f, _data(f, m)))
    yield Case("all mended by repair snapshots", lambda f, m: _mended(f, _first(f, m)))
    yield Case("the only one, mended", _mended_alone)
    yield Case("good, tagged later", lambda f, m: _asked(f, "tag", "--add", "kept", m.newest["id"]), good=True)
    yield Case("stopped 30 days ago, and one of 2038", _stopped)
    yield Case("two in one second, the newer partial", _one_second)
    yield Case("partial, then nothing", _partial)


def _heads() -> Iterator[Case]:
    yield Case("config missing", lambda f, _: (f / "config").unlink(), store=True)
    yield Case("config of no bytes", lambda f, _: (f / "config").write_bytes(b""))
    yield Case("config of one byte", lambda f, _: (f / "config").write_bytes(b"x"))
    yield Case("config, one bit", lambda f, _: _flip(f / "config", 40))
    yield Case("config of another repository", lambda f, m: _text_of(f / "config", (_other(f) / "config").read_bytes()))
    yield Case("no key left", lambda f, _: _each((f / "keys").iterdir(), lambda p: p.unlink()))
    yield Case("every key renamed", lambda f, _: _each((f / "keys").iterdir(), lambda p: _renamed(p, f"{p.name}.bak")))
    yield Case("key of no bytes", lambda f, _: _each((f / "keys").iterdir(), lambda p: p.write_bytes(b"")))
    yield Case("key 30 bytes short", lambda f, _: _each((f / "keys").iterdir(), lambda p: _cut(p, 30)))
    yield Case("key of another repository", _foreign_key)
    yield Case("key of another password", _other_password)
    yield Case("folder empty", _emptied)
    yield Case("folder gone", lambda f, _: shutil.rmtree(f))
    yield Case("kopia's", _kopia)


def _locks() -> Iterator[Case]:
    yield Case("shared lock, two days old", lambda f, _: _lock(f, 48, exclusive=False), good=True)
    yield Case("lock of no bytes", lambda f, _: _text(f / "locks" / ("ab" * 32), ""), good=True)
    yield Case("exclusive lock, six minutes old", lambda f, _: _lock(f, 0.1, exclusive=True))
    yield Case("exclusive lock, two days old", lambda f, _: _lock(f, 48, exclusive=True), store=True)
    yield Case("lock of garbage", lambda f, _: _text(f / "locks" / ("ab" * 32), "junk"))


def _permissions() -> Iterator[Case]:
    yield Case("good, for another user", nothing, good=True, user=True)
    yield Case("data pack not readable", lambda f, m: pack_file(f, m.data[-1]).chmod(0), silent=True, user=True)
    yield Case("tree pack not readable", lambda f, m: pack_file(f, m.trees[-1]).chmod(0), user=True)
    yield Case("newest index not readable", lambda f, m: (f / "index" / m.indexes[-1]).chmod(0), user=True)
    yield Case("newest snapshot not readable", lambda f, m: (f / "snapshots" / m.newest["id"]).chmod(0), user=True)
    yield Case("config not readable", lambda f, _: (f / "config").chmod(0), user=True)
    yield Case("data folder not readable", lambda f, _: (f / "data").chmod(0), user=True)
    yield Case("one folder of data not readable", lambda f, m: pack_file(f, m.data[-1]).parent.chmod(0), user=True)


# What is done, by name.


def _data(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.data[-1])


def _first(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.data[0])


def _tree(folder: Path, master: Master) -> Path:
    return pack_file(folder, master.trees[-1])


def _index(folder: Path, master: Master) -> Path:
    return folder / "index" / master.indexes[-1]


def _snapshot(folder: Path, master: Master) -> Path:
    return folder / "snapshots" / str(master.newest["id"])


def _each(things: Iterable[T], do: Callable[[T], object]) -> None:
    for thing in list(things):
        do(thing)


def _read_only(folder: Path, master: Master) -> None:
    _each((path for path in folder.rglob("*") if path.is_file()), lambda path: path.chmod(0o444))


def _emptied(folder: Path, master: Master) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _asked(folder: Path, *words: str) -> None:
    done = restic(folder, *words)
    assert done.returncode == 0, done.stderr


def _pruned(folder: Path, master: Master) -> None:
    _asked(folder, "forget", "--keep-last", "1", "--prune", "--max-unused", "0")


def _many(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for number in range(200):
        moment = _iso(time.time() - (4 + number / 2) * HOUR)
        put_json(folder, key, "snapshots", without_id(master.newest) | {"time": moment})


def _second_key(folder: Path, master: Master) -> None:
    put_key(folder, key_of(folder, PASSWORD), "another password")


def _no_summary(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for snapshot in master.snapshots:
        (folder / "snapshots" / snapshot["id"]).unlink()
        bare = {name: value for name, value in without_id(snapshot).items() if name != "summary"}
        put_json(folder, key, "snapshots", bare)


def _left_over(folder: Path, master: Master) -> None:
    (folder / "data" / "00" / f"{'00' * 32}-tmp-1234").write_bytes(b"half a pack")
    extra = random.Random(9).randbytes(5000)
    name = put(folder, "data", extra)
    name.rename(folder / "data" / name.name[:2] / name.name)


def _strangers(folder: Path, master: Master) -> None:
    """What desktops, file servers and writers that were cut off leave beside restic's files."""
    for name in ("keys", "snapshots", "index", "locks"):
        for stranger in (".DS_Store", ".nfs000000000123456700000001", f"{'ab' * 32}-tmp-123", f"._{'ab' * 32}", "Thumbs.db"):
            _text(folder / name / stranger, "no file of restic's, and longer than forty bytes at that")
        _text(folder / name / f"{'cd' * 32}-tmp-123", "")


def _renamed(file: Path, name: str) -> None:
    file.rename(file.with_name(name))


def _one_more(folder: Path, master: Master) -> None:
    volume = folder.with_name(f"{folder.name}-volume")
    volume.mkdir()
    change(volume, 7)
    _backed_up(folder, volume)


def _cut(file: Path, count: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-count])


def _longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"something behind it")


def _longer_noise(file: Path) -> None:
    file.write_bytes(random.Random(6).randbytes(file.stat().st_size + 5000))


def _behind(file: Path, before: bytes) -> None:
    file.write_bytes(before + file.read_bytes())


def _flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def _zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _noise(file: Path) -> None:
    file.write_bytes(random.Random(5).randbytes(file.stat().st_size))


def _astray(folder: Path, pack: str) -> None:
    other = folder / "data" / f"{(int(pack[:2], 16) + 1) % 256:02x}"
    pack_file(folder, pack).rename(other / pack)


def _folder_for(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def _swapped(one: Path, two: Path) -> None:
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def _swap_alike(folder: Path, master: Master) -> None:
    """Noise of one length makes packs of one length."""
    volume, before = folder.with_name(f"{folder.name}-volume"), set(_packs_of(folder))
    volume.mkdir()
    for number in range(3):  # as before, so that noise is all that is new
        change(volume, number)
    for seed in (21, 22):
        (volume / "noise").write_bytes(random.Random(seed).randbytes(200_000))
        _backed_up(folder, volume)
    one, two = sorted((set(_packs_of(folder)) - before), key=lambda file: -file.stat().st_size)[:2]
    assert one.stat().st_size == two.stat().st_size
    _swapped(one, two)


def _packs_of(folder: Path) -> list[Path]:
    return [file for file in (folder / "data").rglob("*") if file.is_file()]


def _backed_up(folder: Path, volume: Path, *drop: str) -> None:
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


def _foreign_index(folder: Path, master: Master) -> None:
    file = next((_other(folder) / "index").iterdir())
    shutil.copy(file, folder / "index" / file.name)


def _ghost_index(folder: Path, master: Master) -> None:
    blob = {"id": "cd" * 32, "type": "data", "offset": 0, "length": 100}
    put_json(folder, key_of(folder, PASSWORD), "index", {"packs": [{"id": "ef" * 32, "blobs": [blob]}]})


def _forgetful_index(folder: Path, master: Master) -> None:
    key, file = key_of(folder, PASSWORD), folder / "index" / master.indexes[-1]
    told = json.loads(key.unpacked(file.read_bytes()))
    file.unlink()
    kept = [pack for pack in told["packs"] if pack["blobs"][0]["type"] == "tree"]
    put_json(folder, key, "index", {"packs": kept})


def _resnap(folder: Path, master: Master, *, keep: bool = False, **changes: Any) -> None:
    if not keep:
        (folder / "snapshots" / master.newest["id"]).unlink()
    put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | changes)


def _only(folder: Path, master: Master, **changes: Any) -> None:
    for snapshot in master.snapshots[:-1]:
        (folder / "snapshots" / snapshot["id"]).unlink()
    _resnap(folder, master, **changes)


def _data_for_a_tree(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    told = json.loads(key.unpacked((folder / "index" / master.indexes[-1]).read_bytes()))
    blob = next(b["id"] for pack in told["packs"] for b in pack["blobs"] if b["type"] == "data")
    _resnap(folder, master, tree=blob)


def _foreign_snapshot(folder: Path, master: Master) -> None:
    file = next((_other(folder) / "snapshots").iterdir())
    shutil.copy(file, folder / "snapshots" / file.name)


def _folders_only(folder: Path, master: Master) -> None:
    volume = folder.with_name(f"{folder.name}-volume")
    (volume / "a" / "b").mkdir(parents=True)
    for file in (folder / "snapshots").iterdir():
        file.unlink()
    _backed_up(folder, volume, "summary")


def _mended(folder: Path, lost: Path) -> None:
    lost.unlink()
    _asked(folder, "repair", "index")
    _asked(folder, "repair", "snapshots", "--forget")


def _mended_alone(folder: Path, master: Master) -> None:
    _only(folder, master)
    _mended(folder, _data(folder, master))


def _stopped(folder: Path, master: Master) -> None:
    _only(folder, master, time=_iso(time.time() - 30 * 24 * HOUR))
    put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | {"time": "2038-01-01T00:00:00Z"})


def _one_second(folder: Path, master: Master) -> None:
    second = master.newest["time"][:19]
    _resnap(folder, master, time=f"{second}.100000000Z")
    small = {**(master.newest.get("summary") or {}), "total_files_processed": 1, "total_bytes_processed": 10}
    key = key_of(folder, PASSWORD)
    put_json(folder, key, "snapshots", without_id(master.snapshots[0]) | {"time": f"{second}.900000000Z", "summary": small})


def _partial(folder: Path, master: Master) -> None:
    small = {**(master.newest.get("summary") or {}), "total_files_processed": 2, "total_bytes_processed": 30}
    for minutes in range(14):
        moment = _iso(time.time() - (60 - 4 * minutes) * 60)
        changes = {"time": moment, "summary": small, "tree": "ab" * 32}
        put_json(folder, key_of(folder, PASSWORD), "snapshots", without_id(master.newest) | changes)


def _other(folder: Path) -> Path:
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


def _foreign_key(folder: Path, master: Master) -> None:
    for file in (folder / "keys").iterdir():
        file.unlink()
    for file in (_other(folder) / "keys").iterdir():
        shutil.copy(file, folder / "keys" / file.name)


def _other_password(folder: Path, master: Master) -> None:
    key = key_of(folder, PASSWORD)
    for file in (folder / "keys").iterdir():
        file.unlink()
    put_key(folder, key, "another password")


def _kopia(folder: Path, master: Master) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    _text(folder / "kopia.repository.f", "{}")


def _lock(folder: Path, hours: float, *, exclusive: bool) -> None:
    told = {"time": _iso(time.time() - hours * HOUR), "exclusive": exclusive, "hostname": "mover-1", "username": "root", "pid": 1}
    file = put_json(folder, key_of(folder, PASSWORD), "locks", told)
    os.utime(file, (time.time() - hours * HOUR,) * 2)


def _text(file: Path, text: str) -> None:
    file.write_text(text)


def _text_of(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".000000000Z"
