"""Our reader of trees against restic's own words and against the file system, on a volume of everything that can be in one."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.backups.repository.indexes import read_index
from adapters.backups.repository.nodes import nanoseconds, unquoted
from adapters.backups.repository.sealed import master_key
from adapters.backups.repository.trees import Walked, walk
from adapters.backups.stores.local import LocalPlace
from adapters.volsync.results import FileEntry
from engine.secrets import Secret
from engine.workers import Threads
from tests.contract.stores.backup_benches import BIN, PASSWORD
from tests.proof.sealing import cheapen

pytestmark = pytest.mark.programs

NAMES = [
    b"plain", b"latin\xff1", b"\xc3(", b"tab\t", b"line\nbreak", b"del\x7f", b"bell\a", b"back\\slash", b"\\x41", b'quo"te',
    b" lead", b"trail ", "café".encode(), "cafe\u0301".encode(), "\u2028\u0085".encode(), "\U0001f600".encode(),
    "\ufffd".encode(), "\ue000".encode(), b"n" * 255, b"*", b"$(id)", b"...", "\u202e".encode(),
]  # fmt: skip


def restic(repository: Path, *words: str, cwd: Path | None = None) -> bytes:
    env = {"PATH": os.environ["PATH"], "RESTIC_REPOSITORY": str(repository), "RESTIC_PASSWORD": PASSWORD}
    argv = [str(BIN / "restic"), "--no-cache", *words]
    return subprocess.run(argv, env=env, cwd=cwd, check=True, capture_output=True, timeout=60).stdout


def fill(root: Path) -> None:
    (root / "deep" / ("d" * 200) / "er").mkdir(parents=True)
    for name in NAMES:
        (root / os.fsdecode(name)).write_bytes(name)
    (root / os.fsdecode(b"dir\xe9")).mkdir()
    (root / os.fsdecode(b"dir\xe9") / "inner").write_text("x")
    (root / "empty").touch()
    (root / "emptydir").mkdir(mode=0o3777)
    (root / "emptydir").chmod(0o3777)
    (root / "setuid").touch()
    (root / "setuid").chmod(0o6711)
    (root / "mode0").write_text("x")
    (root / "mode0").chmod(0)
    (root / "hard").hardlink_to(root / "plain")
    (root / "early").touch()
    os.utime(root / "early", ns=(1, -86_400_000_000_000 + 5))
    os.utime(root / "emptydir", ns=(1, 6_942_585_600_250_000_000))
    for name, target in (("link", b"plain"), ("dangling", b"\xff\xfe/no\nwhere"), ("long", b"x" * 1000)):
        (root / name).symlink_to(os.fsdecode(target))
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(root)  # the path of a socket is short
        one.bind("socket")
        os.chdir(here)
    os.setxattr(root / "plain", "user.k", b"v\0\n\xff")
    os.setxattr(root / "emptydir", "user.a=b", b"")
    if os.geteuid() == 0:
        os.mknod(root / "char", 0o020600, os.makedev(1, 3))
        os.mknod(root / "block", 0o060600, os.makedev(259, 70000))
        os.chown(root / "setuid", 4294967294, 70, follow_symlinks=False)
        (root / "setuid").chmod(0o6711)
        os.setxattr(root / "link", "trusted.k", b"v", follow_symlinks=False)


@pytest.fixture(scope="module", params=["1", "2"])
def backed_up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """The volume, its repository (of each format), and the id of its snapshot."""
    if not (BIN / "restic").exists():
        pytest.skip("restic is not built")
    folder = tmp_path_factory.mktemp("trees")
    volume, repository = folder / "volume", folder / "repository"
    volume.mkdir()
    fill(volume)
    restic(repository, "init", "--repository-version", request.param)
    cheapen(repository, PASSWORD)
    restic(repository, "backup", ".", cwd=volume)
    (snapshot,) = json.loads(restic(repository, "snapshots", "--json"))
    yield volume, repository, str(snapshot["id"])


@pytest.fixture(scope="module")
def walked(backed_up: tuple[Path, Path, str]) -> Walked:
    _, repository, snapshot = backed_up
    return walk(LocalPlace(repository), Secret(PASSWORD), snapshot, Threads())


def test_every_entry_is_what_restic_says_of_its_tree(backed_up: tuple[Path, Path, str], walked: Walked) -> None:
    _, repository, snapshot = backed_up
    assert walked.broken == ""
    told: dict[str, dict[str, Any]] = {}
    waiting = [("", str(json.loads(restic(repository, "cat", "snapshot", snapshot))["tree"]))]
    while waiting:
        folder, tree = waiting.pop()
        for node in json.loads(restic(repository, "cat", "blob", tree))["nodes"]:
            path = f"{folder}{os.fsdecode(unquoted(node['name']))}"
            told[path] = node
            if node["type"] == "dir":
                waiting.append((f"{path}/", str(node["subtree"])))
    assert [e.path for e in walked.entries] == sorted(told)
    for entry in walked.entries:
        node = told[entry.path]
        assert (entry.kind, entry.uid, entry.gid) == (node["type"], node["uid"], node["gid"])
        assert entry.mtime_ns == nanoseconds(node["mtime"])
        assert entry.size == (node.get("size", 0) if entry.kind == "file" else 0)


def test_every_entry_is_what_the_file_system_has(backed_up: tuple[Path, Path, str], walked: Walked) -> None:
    volume, _, _ = backed_up
    there = {str(path.relative_to(volume)): path for path in volume.rglob("*") if not stat.S_ISSOCK(path.lstat().st_mode)}
    assert {e.path for e in walked.entries} == set(there)
    for entry in walked.entries:
        assert as_on_disk(entry, there[entry.path]) == entry


def as_on_disk(entry: FileEntry, path: Path) -> FileEntry:
    """The entry that the file system would have told."""
    seen = path.lstat()
    names = os.listxattr(path, follow_symlinks=False)
    return FileEntry(
        path=entry.path,
        kind=entry.kind,
        size=seen.st_size if entry.kind == "file" else 0,
        mode=seen.st_mode & 0o7777,
        uid=seen.st_uid,
        gid=seen.st_gid,
        mtime_ns=seen.st_mtime_ns,
        target=str(path.readlink()) if entry.kind == "symlink" else None,
        link=(seen.st_dev, seen.st_ino) if entry.kind == "file" and seen.st_nlink > 1 else None,
        device=(os.major(seen.st_rdev), os.minor(seen.st_rdev)) if entry.kind in ("dev", "chardev") else None,
        xattrs=tuple(sorted((name, os.getxattr(path, name, follow_symlinks=False)) for name in names)),
    )


def test_no_data_pack_is_opened_for_a_list(backed_up: tuple[Path, Path, str], walked: Walked) -> None:
    _, repository, snapshot = backed_up
    place = LocalPlace(repository)
    key = master_key([content for _, content in place.read(f"keys/{n}" for n in place.names("keys"))], Secret(PASSWORD))
    files = place.read(f"index/{name}" for name in place.names("index"))
    index = read_index(key, ((name.partition("/")[2], content) for name, content in files))
    data = {blob.pack for blob in index.blobs.values() if blob.kind == "data"}
    assert data and not data & {blob.pack for blob in index.blobs.values() if blob.kind == "tree"}
    packs = [repository / "data" / pack[:2] / pack for pack in data]
    for pack in packs:
        pack.rename(pack.with_suffix(".away"))
    try:
        assert walk(place, Secret(PASSWORD), snapshot, Threads()).entries == walked.entries
    finally:
        for pack in packs:
            pack.with_suffix(".away").rename(pack)
