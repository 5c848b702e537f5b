"""Something of a repository is lost: which snapshots need it, and what is said of one that does not."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.backups.repository.indexes import read_index
from adapters.backups.repository.losses import harm
from adapters.backups.repository.sealed import MasterKey
from adapters.backups.repository.trees import Trees
from adapters.backups.restic import ResticBackups
from adapters.backups.results import WHOLE, Depth, Examination, Part, Repository, Verdict
from adapters.backups.stores.local import LocalPlace
from engine.workers import Threads
from house.model import SecretRef
from tests.adapters.backups.handmade import Handmade, node
from tests.adapters.backups.played import Restic, backups

DAMAGED = (1, '{"message_type":"summary","num_errors":1,"broken_packs":%s}\0Load(<data/12>) failed: ciphertext')


@dataclass
class House:
    """Three snapshots: two share a folder, each has a file of its own, each in packs of its own."""

    made: Handmade
    old: str
    middle: str
    new: str
    packs: dict[str, Path]

    @property
    def repository(self) -> Repository:
        return Repository("apps/notes", str(self.made.root), SecretRef(("env:PASSWORD",)))

    def examine(self, snapshot: str, depth: Depth, it: ResticBackups | None = None, part: Part = WHOLE) -> Examination:
        return (it or backups(Restic())).examine(self.repository, snapshot, depth, limit_s=60, part=part)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made, packs = Handmade(tmp_path / "repo"), {}
    shared_data = made.data(b"what both have")
    packs["shared"] = made.pack()
    shared = made.tree(node("both", size=14, content=[shared_data]))
    packs["shared tree"] = made.pack()
    snapshots = []
    for day, name in enumerate(("old", "middle", "new"), 1):
        own = made.data(f"only in {name}".encode())
        packs[name] = made.pack()
        nodes = [node(name, size=9, content=[own]), node("empty", size=0, content=None)]
        top = made.tree(*nodes, *([node("sub", "dir", subtree=shared)] if name != "new" else []))
        packs[f"{name} tree"] = made.pack()
        snapshots.append(made.snapshot(top, time=f"2026-01-0{day}T03:00:00Z"))
        made.index()
    return House(made, *snapshots, packs=packs)


@pytest.mark.parametrize(
    ("lost", "damaged"),
    [
        ("old", ["old"]), ("old tree", ["old"]), ("shared", ["old", "middle"]), ("shared tree", ["old", "middle"]),
        ("new", ["new"]), ("middle tree", ["middle"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "how", ["missing", "short", "other bytes and more", "a byte before it", "a byte within it", "its end twice"]
)
def test_it_is_told_which_snapshots_need_a_lost_pack(house: House, lost: str, damaged: list[str], how: str) -> None:
    pack = house.packs[lost]
    was = pack.read_bytes()
    becomes = {
        "short": was[:-1], "other bytes and more": os.urandom(len(was) + 5000), "a byte before it": b"x" + was,
        "a byte within it": was[:40] + b"x" + was[40:], "its end twice": was[1:] + was[-40:],
    }  # fmt: skip
    pack.unlink() if how == "missing" else pack.write_bytes(becomes[how])
    ids = {name: getattr(house, name) for name in ("old", "middle", "new")}
    for name, snapshot in ids.items():
        seen = house.examine(snapshot, Depth.TREE)
        assert seen.damaged == tuple(sorted(ids[one] for one in damaged)), seen
        assert seen.whole == tuple(sorted(one for other, one in ids.items() if other not in damaged))
        hurt = name in damaged
        assert (seen.verdict, seen.depth) == ((Verdict.UNREADABLE, None) if hurt else (Verdict.DAMAGED, Depth.TREE))
        assert pack.name[:8] in seen.detail and ("does not need it" in seen.detail) is not hurt


@pytest.mark.parametrize("more", [b"x", b"something behind it" * 1000])
def test_bytes_behind_a_pack_harm_nobody_and_are_said(house: House, more: bytes) -> None:
    pack = house.packs["new"]
    pack.write_bytes(pack.read_bytes() + more)
    seen = house.examine(house.new, Depth.TREE)
    assert (seen.verdict, seen.depth, seen.damaged) == (Verdict.OK, Depth.TREE, ())
    assert seen.remarks == ("1 pack longer than the index says: what it tells of is whole",)


def test_a_pack_that_holds_more_than_its_index_tells_is_whole(tmp_path: Path) -> None:
    made = Handmade(tmp_path / "repo")
    snapshot = made.snapshot(made.tree(node("a", content=[made.data(b"a")])))
    made.data(b"what the index forgets")
    made.pack()
    made.packs[0]["blobs"].pop()
    made.index()
    seen = House(made, "", "", snapshot, {}).examine(snapshot, Depth.TREE)
    assert (seen.verdict, len(seen.remarks)) == (Verdict.OK, 1), seen


def test_longer_packs_that_there_was_no_time_to_read_are_unknown_and_not_ok(house: House) -> None:
    pack = house.packs["new"]
    pack.write_bytes(pack.read_bytes() + b"x")
    it = backups(Restic())
    seen = it.examine(house.repository, house.new, Depth.TREE, limit_s=-1)
    assert (seen.verdict, seen.depth) == (Verdict.UNKNOWN, None) and "longer" in seen.detail, seen


@pytest.mark.parametrize("depth", [Depth.LISTED, Depth.INDEXED, Depth.CHECKED, Depth.READ])
def test_at_no_depth_more_is_claimed_than_was_looked_at(house: House, depth: Depth) -> None:
    house.packs["old"].write_bytes(b"")
    seen = house.examine(house.new, depth)
    assert (seen.verdict, seen.damaged) == (Verdict.DAMAGED, (house.old,))
    assert seen.depth is (depth if depth in (Depth.LISTED, Depth.INDEXED) else Depth.TREE)


def test_a_lost_index_leaves_the_snapshots_whole_that_others_tell_of(house: House) -> None:
    index = max((house.made.root / "index").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    index.unlink()
    seen = house.examine(house.new, Depth.TREE, backups(Restic(stats=(1, "Fatal: tree 12 not found in the index"))))
    assert (seen.verdict, seen.damaged) == (Verdict.UNREADABLE, (house.new,))
    assert seen.whole == tuple(sorted((house.old, house.middle)))
    seen = house.examine(house.old, Depth.CHECKED, backups(Restic(check=(1, "error for tree 12: not found"))))
    assert (seen.verdict, seen.depth, seen.damaged) == (Verdict.DAMAGED, Depth.TREE, (house.new,))


@pytest.mark.parametrize("depth", [Depth.INDEXED, Depth.TREE, Depth.READ])
def test_where_an_index_is_not_what_its_name_says_no_snapshot_is_called_whole(house: House, depth: Depth) -> None:
    for file in list((house.made.root / "index").iterdir()):
        moved = file.rename(file.with_name("0" * 64))
        seen = house.examine(house.old, depth, backups(Restic(stats=(1, "Fatal: unable to load index"))))
        assert (seen.verdict, seen.damaged, seen.whole) == (Verdict.UNREADABLE, (), ())
        assert seen.detail == "index 00000000: its content does not fit its name"
        moved.rename(file)


@pytest.mark.parametrize("suffix", [".bak", "-tmp-1", ".old"])
def test_an_index_that_was_renamed_is_a_lost_one(house: House, suffix: str) -> None:
    index = max((house.made.root / "index").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    index.rename(index.with_name(index.name + suffix))
    seen = house.examine(house.new, Depth.TREE, backups(Restic(stats=(1, "Fatal: tree 12 not found in the index"))))
    assert (seen.verdict, seen.damaged) == (Verdict.UNREADABLE, (house.new,))
    assert seen.whole == tuple(sorted((house.old, house.middle)))


def test_what_reading_finds_broken_is_held_against_who_needs_it(house: House) -> None:
    said = (1, DAMAGED[1] % json.dumps([house.packs["old"].name]))
    for snapshot, verdict in ((house.new, Verdict.DAMAGED), (house.old, Verdict.UNREADABLE)):
        seen = house.examine(snapshot, Depth.READ, backups(Restic(check=said)))
        assert (seen.verdict, seen.damaged, seen.part) == (verdict, (house.old,), None), seen


def test_errors_that_nobody_can_place_speak_against_every_snapshot(house: House) -> None:
    seen = house.examine(house.new, Depth.CHECKED, backups(Restic(check=(1, DAMAGED[1] % "null"))))
    assert (seen.verdict, seen.depth, seen.damaged) == (Verdict.UNREADABLE, None, ())
    assert seen.whole == ()


def test_where_restic_itself_cannot_walk_it_it_is_not_whole(house: House) -> None:
    house.packs["old"].unlink()
    seen = house.examine(house.new, Depth.TREE, backups(Restic(stats=(1, "Fatal: tree 12 is broken"))))
    assert (seen.verdict, seen.damaged, seen.whole) == (Verdict.UNREADABLE, (), ())


def test_what_there_was_no_time_to_look_at_is_neither_damaged_nor_whole(house: House) -> None:
    place, key = LocalPlace(house.made.root), MasterKey(*(house.made.master[a:b] for a, b in ((0, 32), (32, 48), (48, 64))))
    files = [(file.name, file.read_bytes()) for file in (house.made.root / "index").iterdir()]
    tops = {one: _top(house, key, one) for one in (house.old, house.middle, house.new)}
    calls: list[int] = []
    trees = Trees(place, key, read_index(key, files), Threads())
    seen = harm(trees, tops, house.new, (), lambda: bool(calls.append(1)) or len(calls) > 1)
    assert (seen.damaged, seen.whole) == ((), (house.new,))


def _top(house: House, key: MasterKey, snapshot: str) -> str:
    told = json.loads(key.unpacked((house.made.root / "snapshots" / snapshot).read_bytes()))
    return str(told["tree"])
