"""What one look at a repository says: opened by ourselves, from repositories made by hand, and no program is asked for it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.backups.results import Depth, Repository, Verdict
from adapters.backups.stores.places import FOLDERS
from engine.secrets import Secret
from house.model import SecretRef
from tests.adapters.backups.handmade import PASSWORD, Handmade, node, seal
from tests.adapters.backups.played import Noon, Restic, backups

ID = "ab" * 32
STRAYS = (".DS_Store", ".nfs000000000123456700000001", f"{'cd' * 32}-tmp-123", f"._{'cd' * 32}", "readme", "Thumbs.db", "cd" * 31)


@pytest.fixture
def made(tmp_path: Path) -> Handmade:
    """One key, one snapshot, one pack, one index and one fresh lock."""
    made = Handmade(tmp_path / "repo")
    made.snapshot(made.tree(node("a")))
    made.index()
    lock = made.write(f"locks/{ID}", b"x")
    os.utime(lock, (Noon().now(), Noon().now()))
    return made


@pytest.fixture
def repository(made: Handmade) -> Repository:
    return Repository("apps/notes", str(made.root), SecretRef(("env:PASSWORD",)))


def config(made: Handmade, **told: object) -> None:
    made.write("config", seal(made.master, json.dumps({"version": 2, "id": "c0ffee"} | told).encode()))


def flipped(made: Handmade, folder: str) -> None:
    """One bit of each file there."""
    for file in (made.root / folder).iterdir() if (made.root / folder).is_dir() else [made.root / folder]:
        content = bytearray(file.read_bytes())
        content[40] ^= 1
        file.write_bytes(content)


def key_of_noise(made: Handmade) -> None:
    for file in (made.root / "keys").iterdir():
        file.write_bytes(b"noise")


def no_snapshot(made: Handmade) -> None:
    for file in (made.root / "snapshots").iterdir():
        file.unlink()


@pytest.mark.parametrize(
    ("harm", "verdict", "told"),
    [
        (key_of_noise, Verdict.UNREADABLE, "key file is not what restic writes"),
        (lambda made: flipped(made, "config"), Verdict.UNREADABLE, "its config: its checksum is wrong"),
        (lambda made: config(made, id=""), Verdict.UNREADABLE, "no id"),
        (lambda made: config(made, version=3), Verdict.UNKNOWN, "format 3"),
        (lambda made: made.write("config", seal(os.urandom(64), b"{}")), Verdict.UNREADABLE, "its config"),
        (lambda made: made.write("config", seal(made.master, b"[]")), Verdict.UNREADABLE, "no JSON object"),
        (lambda made: flipped(made, "snapshots"), Verdict.UNREADABLE, "1 snapshot files cannot be read"),
        (lambda made: made.snapshot("t", time="yesterday"), Verdict.UNKNOWN, ""),
        (no_snapshot, Verdict.EMPTY, "no snapshots"),
    ],
)
def test_verdicts(made: Handmade, repository: Repository, harm: Callable[[Handmade], object], verdict: Verdict, told: str) -> None:
    runner = Restic()
    assert backups(runner).look(repository).verdict is Verdict.OK
    harm(made)
    seen = backups(runner).look(repository)
    assert seen.verdict is verdict and told in seen.detail and seen.points == ()


def test_a_wrong_password_is_refused(repository: Repository) -> None:
    seen = backups(Restic(), PASSWORD="not-what-it-was-made-with").look(repository)
    assert (seen.verdict, seen.detail) == (Verdict.REFUSED, "the password opens none of its 1 keys")


def test_a_secret_that_cannot_be_had_is_unknown(repository: Repository) -> None:
    seen = backups(Restic(), OTHER="x").look(repository)
    assert seen.verdict is Verdict.UNKNOWN and "env:PASSWORD" in seen.detail


def test_unreadable_snapshot_files_are_told_and_the_others_count(made: Handmade, repository: Repository) -> None:
    (good,) = (made.root / "snapshots").iterdir()
    for name, content in (("ab" * 32, b""), ("cd" * 32, good.read_bytes())):  # no bytes; another snapshot's bytes
        made.write(f"snapshots/{name}", content)
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.OK and seen.detail == "2 snapshot files cannot be read"
    assert [point.snapshot_id for point in seen.points] == [good.name]
    assert sorted(name for name, _ in seen.unread) == ["ab" * 32, "cd" * 32]


@pytest.mark.parametrize("name", STRAYS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_that_restic_passes_over_is_a_remark_at_every_depth(
    made: Handmade, repository: Repository, folder: str, name: str
) -> None:
    for content in (b"", b"\0\0\0\1Bud1 and more than forty bytes of something"):
        made.write(f"{folder}/{name}", content)
        seen = backups(Restic()).look(repository)
        assert (seen.verdict, len(seen.points), seen.unread) == (Verdict.OK, 1, ()), seen
        assert "1 file that restic passes over" in seen.detail and "cannot be read" not in seen.detail
        deep = backups(Restic()).examine(repository, seen.points[0].snapshot_id, Depth.TREE, limit_s=60)
        assert deep.verdict is Verdict.OK and {lock.lock_id for lock in deep.locks} <= {ID}, deep


@pytest.mark.parametrize(
    ("folder", "verdict", "told"),
    [
        ("keys", Verdict.UNREADABLE, "it has a config, but no key is left; 1 file that restic passes over: keys/"),
        ("index", Verdict.UNREADABLE, "no index is left to find their data by; 1 file that restic passes over: index/"),
        ("snapshots", Verdict.EMPTY, "no snapshots; 1 file that restic passes over: snapshots/"),
    ],
)
@pytest.mark.parametrize("suffix", [".bak", "-tmp-12", " (1)"])
def test_what_was_renamed_is_gone_as_it_is_for_restic(
    made: Handmade, repository: Repository, folder: str, verdict: Verdict, told: str, suffix: str
) -> None:
    (file,) = (made.root / folder).iterdir()
    file.rename(file.with_name(file.name + suffix))
    seen = backups(Restic()).look(repository)
    assert seen.verdict is verdict and f"{told}{file.name[:8]}…{suffix}" in seen.detail, seen


def test_snapshots_without_any_data_are_damage(made: Handmade, repository: Repository) -> None:
    for file in (made.root / "data").rglob("*"):
        if file.is_file():
            file.unlink()
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.UNREADABLE and "not one file of their data" in seen.detail and seen.points == ()


@pytest.mark.parametrize("left", ["data/00/a", f"locks/{ID}"])
def test_the_least_that_is_left_of_a_repository_is_damage_and_never_missing(tmp_path: Path, left: str) -> None:
    (tmp_path / "repo" / left).parent.mkdir(parents=True)
    (tmp_path / "repo" / left).write_text("x")
    repository = Repository("apps/notes", str(tmp_path / "repo"), SecretRef(("env:PASSWORD",)))
    assert backups(Restic()).look(repository).verdict is Verdict.UNREADABLE
    (tmp_path / "repo" / left).unlink()
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.MISSING and seen.detail


def test_locks_older_than_half_an_hour_are_stale(made: Handmade, repository: Repository) -> None:
    lock = made.root / "locks" / ID
    for age, stale in ((29 * 60, 0), (31 * 60, 1)):
        os.utime(lock, (Noon().now() - age, Noon().now() - age))
        assert backups(Restic()).look(repository).stale_locks == stale


def test_a_look_asks_no_program_and_what_asks_restic_never_locks_and_has_its_secrets_in_the_environment(
    made: Handmade, repository: Repository
) -> None:
    (made.root / "locks" / ID).unlink()
    runner = Restic()
    it = backups(runner)
    (point,) = it.look(repository).points
    assert len(it.identity(repository)) == 64 and runner.asked == []
    found = it.examine(repository, point.snapshot_id, Depth.TREE, limit_s=10)
    assert (found.verdict, found.depth) == (Verdict.OK, Depth.TREE)
    assert runner.asked == [("restic", "stats", "--mode", "raw-data", point.snapshot_id, "--no-lock", "--no-cache", "--json")]
    assert runner.env["RESTIC_PASSWORD"] == Secret(PASSWORD)
    assert runner.env["RESTIC_REPOSITORY"] == repository.address


@pytest.mark.parametrize("address", ["rest:http://nas:8000/", "b2:bucket:path", "relative/path", ""])
def test_an_address_of_another_kind_is_unknown(repository: Repository, address: str) -> None:
    seen = backups(Restic()).look(Repository("n", address, repository.password))
    assert seen.verdict is Verdict.UNKNOWN and "form that cannot be opened" in seen.detail


def a_pipe(file: Path) -> None:
    os.mkfifo(file)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(file.parent, os.O_RDONLY)  # the name of a socket has a hundred bytes at most
        listening.bind(f"/proc/self/fd/{here}/{file.name}")
        os.close(here)


NO_FILES: dict[str, Callable[[Path], object]] = {
    "a named pipe": a_pipe, "a socket": a_socket, "a folder": Path.mkdir, "a device": lambda file: file.symlink_to("/dev/null"),
    "a link that leads nowhere": lambda file: file.symlink_to(file.name),
    "a link to what is gone": lambda file: file.symlink_to("gone"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(NO_FILES))
@pytest.mark.parametrize("place", ["config", "keys", "snapshots", "index", "locks"])
def test_what_is_no_file_in_the_place_of_one_is_told_and_not_waited_for(
    made: Handmade, repository: Repository, place: str, kind: str
) -> None:
    """As tests.proof.damage shows, restic waits for it: for a key as its folder is listed, for all others always."""
    (file,) = [made.root / "config"] if place == "config" else (made.root / place).iterdir()
    file.unlink()
    NO_FILES[kind](file)
    runner = Restic()
    seen = backups(runner).look(repository)
    name = place if place == "config" else f"{place}/{file.name[:8]}…"
    what = "a link that leads nowhere" if kind == "a link to what is gone" else kind
    told = f"where files belong there are none, and restic waits for them in vain: {name} is {what}"
    assert (seen.verdict, seen.detail, runner.asked) == (Verdict.UNREADABLE, told, [])
    strange = file.with_name("readme")
    if place != "config":
        file.rename(strange)
        assert "readme" not in backups(runner).look(repository).detail


@pytest.mark.parametrize("kind", list(NO_FILES))
def test_a_second_key_that_is_no_file_is_a_remark(made: Handmade, repository: Repository, kind: str) -> None:
    NO_FILES[kind](made.root / "keys" / ("00" * 32))
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.OK and "keys/00000000… is a" in seen.detail


@pytest.mark.parametrize("kind", [kind for kind in NO_FILES if kind != "a device"])
def test_a_pack_that_is_no_file_is_not_there(made: Handmade, repository: Repository, kind: str) -> None:
    (pack,) = (file for file in (made.root / "data").rglob("*") if file.is_file())
    snapshot = backups(Restic()).look(repository).points[0].snapshot_id
    pack.unlink()
    NO_FILES[kind](pack)
    seen = backups(Restic()).examine(repository, snapshot, Depth.INDEXED, limit_s=10.0)
    assert (seen.verdict, seen.detail) == (Verdict.UNREADABLE, f"1 pack of 1 not there: {pack.name[:8]}")


def test_a_repository_behind_a_link_that_leads_nowhere_is_not_missing(made: Handmade, repository: Repository) -> None:
    made.root.rename(made.root.with_name("elsewhere"))
    for target in ("unmounted/repo", made.root.name):
        made.root.symlink_to(target)
        seen = backups(Restic()).look(repository)
        told = f"{made.root} is a link that leads nowhere: is what it leads to mounted?"
        assert (seen.verdict, seen.detail) == (Verdict.UNREACHABLE, told)
        made.root.unlink()
    made.root.symlink_to("elsewhere")
    assert backups(Restic()).look(repository).verdict is Verdict.OK
