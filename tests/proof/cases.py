"""The copies of the good repository: each case is one thing that can happen to a backup. Judges nothing.

`good` is what was done no harm to; `silent` is harm that leaves every name and size as it was, so that only reading finds it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.proof import deeds
from tests.proof.master import HOUR, PATIENCE_S, Master, pack_file

Do = Callable[[Path, Master], object]
_IN_VAIN_S = 10.0  # restic tries again and again


@dataclass(frozen=True)
class Case:
    """One repository. `user`: looked at and restored by one who is not its owner. `store`: also played at the S3 door.
    `patience_s`: how long restic is waited for when it restores."""

    name: str
    do: Do
    good: bool = False
    silent: bool = False
    user: bool = False
    store: bool = False
    patience_s: float = PATIENCE_S


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _good()
    yield from _packs()
    yield from _indexes()
    yield from _snapshots()
    yield from _heads()
    yield from _locks()
    yield from _permissions()
    yield from _no_files()


def nothing(folder: Path, master: Master) -> None:
    """Leave it as it is."""


def _good() -> Iterator[Case]:
    yield Case("good", nothing, good=True, store=True)
    yield Case("good, read-only", deeds.read_only, good=True)
    yield Case("good, pruned", deeds.pruned, good=True, store=True)
    yield Case("good, 200 snapshots", deeds.many, good=True)
    yield Case("good, a second key", deeds.second_key, good=True)
    yield Case("good, rewritten by repair index", lambda f, _: deeds.asked(f, "repair", "index"), good=True)
    yield Case("good, without summaries", deeds.no_summary, good=True)
    yield Case("good, an upload that broke off", deeds.left_over, good=True)
    yield Case("good, a stranger's file in the root", lambda f, _: deeds.put_text(f / "README.md", "ours"), good=True)
    yield Case("good, strangers' files among restic's own", deeds.strangers, good=True, store=True)
    yield Case("good, one more backup, all packed small", deeds.one_more, good=True)


def _packs() -> Iterator[Case]:
    yield Case("newest data pack missing", lambda f, m: deeds.data_pack(f, m).unlink(), store=True)
    yield Case("first data pack missing", lambda f, m: deeds.first_pack(f, m).unlink())
    yield Case("newest tree pack missing", lambda f, m: deeds.tree_pack(f, m).unlink(), store=True)
    yield Case("oldest tree pack missing", lambda f, m: pack_file(f, m.trees[0]).unlink())
    yield Case("all data packs missing", lambda f, m: deeds.each(m.data, lambda p: pack_file(f, p).unlink()))
    yield Case("all tree packs missing", lambda f, m: deeds.each(m.trees, lambda p: pack_file(f, p).unlink()))
    yield Case("every pack missing", lambda f, m: deeds.each((*m.data, *m.trees), lambda p: pack_file(f, p).unlink()))
    yield Case("data folder gone", lambda f, _: shutil.rmtree(f / "data"))
    yield Case("data pack a byte short", lambda f, m: deeds.cut(deeds.data_pack(f, m), 1), store=True)
    yield Case("data pack 37 bytes short", lambda f, m: deeds.cut(deeds.data_pack(f, m), 37))
    yield Case("data pack 5000 bytes short", lambda f, m: deeds.cut(deeds.data_pack(f, m), 5000))
    yield Case("tree pack a byte short", lambda f, m: deeds.cut(deeds.tree_pack(f, m), 1))
    yield Case("data pack of no bytes", lambda f, m: deeds.data_pack(f, m).write_bytes(b"") and None, store=True)
    yield Case("tree pack of no bytes", lambda f, m: deeds.tree_pack(f, m).write_bytes(b""))
    yield Case("every pack of no bytes", lambda f, m: deeds.each((*m.data, *m.trees), lambda p: pack_file(f, p).write_bytes(b"")))
    yield Case("data pack longer", lambda f, m: deeds.longer(deeds.data_pack(f, m)))
    yield Case("data pack longer, of other bytes", lambda f, m: deeds.longer_noise(deeds.data_pack(f, m)), store=True)
    yield Case("data pack behind a byte", lambda f, m: deeds.behind(deeds.data_pack(f, m), b"x"))
    yield Case("tree pack behind a byte", lambda f, m: deeds.behind(deeds.tree_pack(f, m), b"x"))
    yield Case("first data pack longer, of other bytes", lambda f, m: deeds.longer_noise(deeds.first_pack(f, m)))
    yield Case("data pack in another folder", lambda f, m: deeds.astray(f, m.data[-1]))
    yield Case("data pack is a folder", lambda f, m: deeds.folder_for(deeds.data_pack(f, m)))
    yield Case("data pack is a dangling link", lambda f, m: deeds.dangling(deeds.data_pack(f, m)))
    yield Case("two packs swapped, of other sizes", lambda f, m: deeds.swapped(deeds.data_pack(f, m), deeds.tree_pack(f, m)))
    yield Case("tree pack, one bit", lambda f, m: deeds.flip(deeds.tree_pack(f, m), 20))
    yield Case("tree pack all zeros", lambda f, m: deeds.zeros(deeds.tree_pack(f, m)))
    yield Case("data pack, one bit", lambda f, m: deeds.flip(deeds.data_pack(f, m), 1000), silent=True, store=True)
    yield Case("first data pack, one bit", lambda f, m: deeds.flip(deeds.first_pack(f, m), 1000), silent=True)
    yield Case("data pack, its last bit", lambda f, m: deeds.flip(deeds.data_pack(f, m), -1), silent=True)
    yield Case("data pack all zeros", lambda f, m: deeds.zeros(deeds.data_pack(f, m)), silent=True)
    yield Case("data pack all noise", lambda f, m: deeds.noise(deeds.data_pack(f, m)), silent=True)
    yield Case("two packs swapped, of one size", deeds.swap_alike, silent=True)


def _indexes() -> Iterator[Case]:
    yield Case("every index missing", lambda f, m: deeds.each(m.indexes, lambda i: (f / "index" / i).unlink()), store=True)
    yield Case("index folder gone", lambda f, _: shutil.rmtree(f / "index"))
    yield Case("newest index missing", lambda f, m: deeds.newest_index(f, m).unlink(), store=True)
    yield Case("oldest index missing", lambda f, m: (f / "index" / m.indexes[0]).unlink())
    yield Case("index a byte short", lambda f, m: deeds.cut(deeds.newest_index(f, m), 1))
    yield Case("index of no bytes", lambda f, m: deeds.newest_index(f, m).write_bytes(b""))
    yield Case("index, one bit", lambda f, m: deeds.flip(deeds.newest_index(f, m), 60))
    yield Case("index is noise", lambda f, m: deeds.noise(deeds.newest_index(f, m)))
    yield Case("newest index renamed", lambda f, m: deeds.renamed(deeds.newest_index(f, m), f"{m.indexes[-1]}.bak"))
    yield Case("newest index under another id", lambda f, m: deeds.renamed(deeds.newest_index(f, m), "0" * 64))
    yield Case("oldest index renamed", lambda f, m: deeds.renamed(f / "index" / m.indexes[0], f"{m.indexes[0]}-tmp-1"))
    yield Case("index of another repository", deeds.foreign_index)
    yield Case("index names a pack that is not there", deeds.ghost_index)
    yield Case("newest index forgets its data", deeds.forgetful_index)


def _snapshots() -> Iterator[Case]:
    now = time.time()
    yield Case("newest snapshot of an unknown tree", lambda f, m: deeds.resnap(f, m, tree="ab" * 32))
    yield Case("newest snapshot of a file's data for a tree", deeds.data_for_a_tree)
    yield Case("newest snapshot a byte short", lambda f, m: deeds.cut(deeds.newest_snapshot(f, m), 1))
    yield Case("newest snapshot of no bytes", lambda f, m: deeds.newest_snapshot(f, m).write_bytes(b""))
    yield Case("every snapshot of no bytes", lambda f, m: deeds.each((f / "snapshots").iterdir(), lambda p: p.write_bytes(b"")))
    yield Case("every snapshot gone", lambda f, _: deeds.each((f / "snapshots").iterdir(), lambda p: p.unlink()))
    yield Case("snapshot of another repository", deeds.foreign_snapshot)
    yield Case("folders only, no summary", deeds.folders_only)
    yield Case("other paths only", lambda f, m: deeds.only(f, m, paths=["/data2"]))
    strange = {"hostname": "neighbour", "time": deeds.iso(now - HOUR)}
    yield Case("another host's is the newest", lambda f, m: deeds.resnap(f, m, keep=True, **strange))
    yield Case("all dated in the future", lambda f, m: deeds.only(f, m, time="2038-01-01T00:00:00Z"))
    yield Case("newest mended by repair snapshots", lambda f, m: deeds.mended(f, deeds.data_pack(f, m)))
    yield Case("all mended by repair snapshots", lambda f, m: deeds.mended(f, deeds.first_pack(f, m)))
    yield Case("the only one, mended", deeds.mended_alone)
    yield Case("good, tagged later", lambda f, m: deeds.asked(f, "tag", "--add", "kept", m.newest["id"]), good=True)
    yield Case("stopped 30 days ago, and one of 2038", deeds.stopped)
    yield Case("two in one second, the newer partial", deeds.one_second)
    yield Case("partial, then nothing", deeds.partial)


def _heads() -> Iterator[Case]:
    yield Case("config missing", lambda f, _: (f / "config").unlink(), store=True)
    yield Case("config of no bytes", lambda f, _: (f / "config").write_bytes(b""))
    yield Case("config of one byte", lambda f, _: (f / "config").write_bytes(b"x"))
    yield Case("config, one bit", lambda f, _: deeds.flip(f / "config", 40))
    yield Case("config of another repository", lambda f, _: deeds.foreign_config(f))
    yield Case("no key left", lambda f, _: deeds.each((f / "keys").iterdir(), lambda p: p.unlink()))
    yield Case("every key renamed", lambda f, _: deeds.each((f / "keys").iterdir(), lambda p: deeds.renamed(p, f"{p.name}.bak")))
    yield Case("key of no bytes", lambda f, _: deeds.each((f / "keys").iterdir(), lambda p: p.write_bytes(b"")))
    yield Case("key 30 bytes short", lambda f, _: deeds.each((f / "keys").iterdir(), lambda p: deeds.cut(p, 30)))
    yield Case("key of another repository", deeds.foreign_key)
    yield Case("key of another password", deeds.other_password)
    yield Case("folder empty", deeds.emptied)
    yield Case("folder gone", lambda f, _: shutil.rmtree(f))
    yield Case("kopia's", deeds.kopia)


def _locks() -> Iterator[Case]:
    yield Case("shared lock, two days old", lambda f, _: deeds.put_lock(f, 48, exclusive=False), good=True)
    yield Case("lock of no bytes", lambda f, _: deeds.put_text(f / "locks" / ("ab" * 32), ""), good=True)
    yield Case("exclusive lock, six minutes old", lambda f, _: deeds.put_lock(f, 0.1, exclusive=True))
    yield Case("exclusive lock, two days old", lambda f, _: deeds.put_lock(f, 48, exclusive=True), store=True)
    yield Case("lock of garbage", lambda f, _: deeds.put_text(f / "locks" / ("ab" * 32), "junk"))


def _permissions() -> Iterator[Case]:
    yield Case("good, for another user", nothing, good=True, user=True)
    yield Case("data pack not readable", lambda f, m: pack_file(f, m.data[-1]).chmod(0), silent=True, user=True)
    yield Case("tree pack not readable", lambda f, m: pack_file(f, m.trees[-1]).chmod(0), user=True)
    yield Case("newest index not readable", lambda f, m: (f / "index" / m.indexes[-1]).chmod(0), user=True)
    yield Case("newest snapshot not readable", lambda f, m: (f / "snapshots" / m.newest["id"]).chmod(0), user=True)
    yield Case("config not readable", lambda f, _: (f / "config").chmod(0), user=True)
    yield Case("data folder not readable", lambda f, _: (f / "data").chmod(0), user=True)
    yield Case("one folder of data not readable", lambda f, m: pack_file(f, m.data[-1]).parent.chmod(0), user=True)


def _no_files() -> Iterator[Case]:
    """In the place of a file there is something else: a reader that just opens it waits for ever, or goes round in circles."""
    odd = {"a named pipe": deeds.pipe_for, "a link to itself": deeds.link_to_itself, "a folder": deeds.folder_for}
    places: dict[str, Callable[[Path, Master], Path]] = {
        "data pack": deeds.data_pack, "tree pack": deeds.tree_pack, "newest index": deeds.newest_index,
        "newest snapshot": deeds.newest_snapshot, "oldest snapshot": lambda f, m: f / "snapshots" / str(m.snapshots[0]["id"]),
        "only key": lambda f, _: next((f / "keys").iterdir()), "config": lambda f, _: f / "config",
    }  # fmt: skip
    for place, where in places.items():
        for kind, put in odd.items():
            if (place, kind) != ("data pack", "a folder"):  # it is played among the packs
                yield Case(f"{place} is {kind}", partial(_put, where, put), patience_s=_IN_VAIN_S)
    for kind, put in odd.items():
        yield Case(f"a lock is {kind}", partial(_put, deeds.a_lock, put), patience_s=_IN_VAIN_S)
        yield Case(f"a second key is {kind}", partial(_put, deeds.a_key, put), patience_s=_IN_VAIN_S)


def _put(where: Callable[[Path, Master], Path], put: Callable[[Path], None], folder: Path, master: Master) -> None:
    put(where(folder, master))
