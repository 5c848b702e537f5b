"""The copies of the good repository of kopia: each case is one thing that can happen to a backup. Judges nothing.

`good` is what was done no harm to; `silent` is harm that leaves every name and size as it was, so that only reading finds it;
`spared` is harm that the newest snapshot can do without: it is said, and that one is called whole.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.proof import deeds
from tests.proof.kopia_master import IDENTITY, NEIGHBOUR, PASSWORD, KopiaMaster, blob_file, kopia

Do = Callable[[Path, KopiaMaster], object]
Edit = Callable[[Path], object]


@dataclass(frozen=True)
class KopiaCase:
    """One repository; `password` is what it is looked at and restored with."""

    name: str
    do: Do
    good: bool = False
    silent: bool = False
    spared: bool = False
    password: str = PASSWORD


def kopia_cases() -> Iterator[KopiaCase]:
    """All of them."""
    yield from _good()
    yield from _packs()
    yield from _indexes()
    yield from _heads()
    yield from _snapshots()


def to(pick: Callable[[KopiaMaster], str], edit: Edit) -> Do:
    """`edit` done to one file of the store."""
    return lambda folder, master: edit(blob_file(folder, pick(master)))


def newest_data(master: KopiaMaster) -> str:
    return master.data[-1]


def first_data(master: KopiaMaster) -> str:
    return master.data[0]


def newest_tree(master: KopiaMaster) -> str:
    """The pack with the folders of the newest backup; the snapshot itself lies in it too, or in the one after it."""
    return master.trees[-1]


def neighbours_data(master: KopiaMaster) -> str:
    return next(name for name in master.of_neighbour if name.startswith("p"))


def neighbours_tree(master: KopiaMaster) -> str:
    return next(name for name in master.of_neighbour if name.startswith("q"))


def newest_index(master: KopiaMaster) -> str:
    return master.indexes[-1]


def gone(file: Path) -> None:
    file.unlink()


def short(file: Path) -> None:
    deeds.cut(file, 1)


def half(file: Path) -> None:
    deeds.cut(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def bit(file: Path) -> None:
    deeds.flip(file, file.stat().st_size // 2)


def nothing(folder: Path, master: KopiaMaster) -> None:
    """Leave it as it is."""


def _good() -> Iterator[KopiaCase]:
    yield KopiaCase("good", nothing, good=True)
    yield KopiaCase("good, read-only", lambda f, _: deeds.each((p for p in f.rglob("*.f")), lambda p: p.chmod(0o444)), good=True)
    yield KopiaCase("good, a stranger's file in the root", lambda f, _: deeds.put_text(f / "README.md", "ours"), good=True)
    yield KopiaCase("good, strangers' files among kopia's", strangers, good=True)
    yield KopiaCase("good, an upload that broke off", broken_off, good=True)
    yield KopiaCase("good, after a full maintenance", maintained, good=True)
    yield KopiaCase("good, data pack longer", to(newest_data, deeds.longer), good=True)
    yield KopiaCase("good, its logs gone", lambda f, _: shutil.rmtree(f / "_", ignore_errors=True), good=True)


def _packs() -> Iterator[KopiaCase]:
    for place, pick in (("newest data pack", newest_data), ("first data pack", first_data), ("newest tree pack", newest_tree)):
        yield KopiaCase(f"{place} missing", to(pick, gone))
        yield KopiaCase(f"{place} a byte short", to(pick, short))
        yield KopiaCase(f"{place} cut in half", to(pick, half))
        yield KopiaCase(f"{place} of no bytes", to(pick, empty))
    yield KopiaCase("every data pack missing", lambda f, m: deeds.each(m.data, lambda name: blob_file(f, name).unlink()))
    yield KopiaCase("every tree pack missing", lambda f, m: deeds.each(m.trees, lambda name: blob_file(f, name).unlink()))
    yield KopiaCase("folder of data gone", lambda f, _: shutil.rmtree(f / "p"))
    yield KopiaCase("folder of trees gone", lambda f, _: shutil.rmtree(f / "q"))
    yield KopiaCase("data pack under another name", to(newest_data, lambda p: deeds.renamed(p, "0" * 20 + ".f")))
    yield KopiaCase("data pack is a folder", to(newest_data, deeds.folder_for))
    yield KopiaCase("data pack is a dangling link", to(newest_data, deeds.dangling))
    yield KopiaCase("tree pack, one bit", to(newest_tree, bit))
    yield KopiaCase("tree pack all zeros", to(newest_tree, deeds.zeros))
    yield KopiaCase("data pack, one bit", to(newest_data, bit), silent=True)
    yield KopiaCase("first data pack, one bit", to(first_data, bit), silent=True)
    yield KopiaCase("data pack all zeros", to(newest_data, deeds.zeros), silent=True)
    yield KopiaCase("data pack all noise", to(newest_data, deeds.noise), silent=True)
    yield KopiaCase("data pack longer, of other bytes", to(newest_data, deeds.longer_noise), silent=True)
    yield KopiaCase("data pack behind a byte", to(newest_data, lambda p: deeds.behind(p, b"x")), silent=True)
    yield KopiaCase("a neighbour's data pack missing", to(neighbours_data, gone), spared=True)
    yield KopiaCase("a neighbour's data pack cut in half", to(neighbours_data, half), spared=True)


def _indexes() -> Iterator[KopiaCase]:
    for kind, edit in (("a byte short", short), ("of no bytes", empty), ("one bit", bit), ("all noise", deeds.noise)):
        yield KopiaCase(f"newest index {kind}", to(newest_index, edit))
    for number in range(3):
        yield KopiaCase(f"index {number} from the newest missing", _index_missing(number))
    yield KopiaCase("every index missing", lambda f, m: deeds.each(m.indexes, lambda name: blob_file(f, name).unlink()))
    yield KopiaCase("folder of indexes gone", lambda f, _: shutil.rmtree(f / "x"))


def _index_missing(number: int) -> Do:
    def do(folder: Path, master: KopiaMaster) -> None:
        blob_file(folder, master.indexes[-1 - number]).unlink()

    return do


def _heads() -> Iterator[KopiaCase]:
    head = "kopia.repository.f"
    yield KopiaCase("kopia.repository missing", lambda f, _: (f / head).unlink())
    yield KopiaCase("kopia.repository of no bytes", lambda f, _: (f / head).write_bytes(b""))
    yield KopiaCase("kopia.repository cut in half", lambda f, _: half(f / head))
    yield KopiaCase("kopia.repository all noise", lambda f, _: deeds.noise(f / head))
    yield KopiaCase("kopia.repository of another", _other_head)
    yield KopiaCase("kopia.repository and blobcfg missing", lambda f, _: deeds.each(f.glob("kopia.*"), lambda p: p.unlink()))
    yield KopiaCase("another password", nothing, password="another password")
    yield KopiaCase("folder empty", lambda f, _: (shutil.rmtree(f), f.mkdir()))
    yield KopiaCase("folder gone", lambda f, _: shutil.rmtree(f))
    yield KopiaCase("restic's", _restics)


def _snapshots() -> Iterator[KopiaCase]:
    yield KopiaCase("every snapshot deleted", lambda f, _: without(f, IDENTITY))
    yield KopiaCase("good, the neighbour's snapshots deleted", lambda f, _: without(f, NEIGHBOUR), good=True)


def strangers(folder: Path, master: KopiaMaster) -> None:
    """What desktops, file servers and writers that were cut off leave beside kopia's files."""
    for name in (".DS_Store", "Thumbs.db", ".nfs000000000123456700000001", "p0123.f.tmp.0123456789"):
        deeds.put_text(folder / "p" / name, "no file of kopia's")


def broken_off(folder: Path, master: KopiaMaster) -> None:
    """A writer that was cut off leaves its session and packs that no index knows."""
    session = "0123456789abcdef123"
    for name in ("p" + "ab" * 16, "q" + "cd" * 16):
        blob = f"{name}-s{session}"
        place = folder / blob[0] / blob[1:4]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{blob[4:]}.f").write_bytes(random.Random(3).randbytes(5000))
    own = f"s{'0' * 32}-s{session}"
    (folder / "s" / own[1:4]).mkdir(parents=True, exist_ok=True)
    (folder / "s" / own[1:4] / f"{own[4:]}.f").write_bytes(random.Random(4).randbytes(200))


def connected(folder: Path) -> Path:
    """A connection to the copy, which may write."""
    state = folder.with_name(f"{folder.name}-state")
    client = ("--override-username=notes", "--override-hostname=apps")
    done = kopia(state, "repository", "connect", "filesystem", f"--path={folder}", *client)
    assert done.returncode == 0, done.stderr
    return state


def told(state: Path, *words: str) -> str:
    """What kopia prints on the copy."""
    done = kopia(state, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def maintained(folder: Path, master: KopiaMaster) -> None:
    """kopia's own full maintenance, with nothing spared for safety."""
    state = connected(folder)
    told(state, "maintenance", "set", "--owner=notes@apps")
    told(state, "snapshot", "delete", "--delete", master.snapshots[0]["id"])
    told(state, "maintenance", "run", "--full", "--safety=none")


def without(folder: Path, identity: str) -> None:
    """All snapshots of this identity deleted, as a person would."""
    state = connected(folder)
    for one in json.loads(told(state, "snapshot", "list", "--all", "--json")):
        source = one["source"]
        if f"{source['userName']}@{source['host']}:{source['path']}" == identity:
            told(state, "snapshot", "delete", "--delete", one["id"])


def _restics(folder: Path, master: KopiaMaster) -> None:
    shutil.rmtree(folder)
    (folder / "data").mkdir(parents=True)
    deeds.put_text(folder / "config", "x")


def _other_head(folder: Path, master: KopiaMaster) -> None:
    other = folder.with_name(f"{folder.name}-other")
    state = folder.with_name(f"{folder.name}-other-state")
    told(state, "repository", "create", "filesystem", f"--path={other}")
    shutil.copyfile(other / "kopia.repository.f", folder / "kopia.repository.f")
