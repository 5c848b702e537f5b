"""VolSync's own mover script in its sandbox, with real restic: exit codes and what is left behind in each case."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.lab.parts.bench import listing, need_programs
from tests.lab.parts.volsync.movers import Movers, restic


@pytest.fixture(scope="module")
def movers(tmp_path_factory: pytest.TempPathFactory) -> Movers:
    need_programs()
    return Movers(tmp_path_factory.mktemp("movers"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A fresh volume."""
    folder = tmp_path / "volume"
    (folder / "lost+found").mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def saved(movers: Movers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that a mover made, with one snapshot of a file `word`."""
    root = tmp_path_factory.mktemp("saved")
    (root / "data").mkdir()
    (root / "data" / "word").write_text("good")
    (root / "repository").mkdir()
    ended = movers.run("backup", repository=root / "repository", data=root / "data", FORGET_OPTIONS="--keep-last 2")
    assert ended.code == 0, ended.log
    return root / "repository"


@pytest.fixture
def repository(saved: Path, tmp_path: Path) -> Path:
    """The test's own copy of it."""
    return Path(shutil.copytree(saved, tmp_path / "repository"))


def snapshots(repository: Path) -> int:
    return len(list((repository / "snapshots").iterdir()))


@pytest.mark.programs
def test_restore_brings_the_newest_snapshot_back(movers: Movers, repository: Path, data: Path) -> None:
    ended = movers.run("restore", repository=repository, data=data)
    assert ended.code == 0, ended.log
    assert (data / "word").read_text() == "good"
    assert "of [/data] at" in ended.log


@pytest.mark.programs
def test_restore_from_before_everything_succeeds_with_nothing(movers: Movers, repository: Path, data: Path) -> None:
    ended = movers.run("restore", repository=repository, data=data, RESTORE_AS_OF="2020-01-01T00:00:00Z")
    assert ended.code == 0
    assert listing(data) == {}
    assert "No eligible snapshots found" in ended.log


@pytest.mark.programs
def test_restore_without_a_repository_makes_one_and_succeeds_with_nothing(
    movers: Movers, tmp_path: Path, data: Path
) -> None:
    (tmp_path / "wrong").mkdir()
    ended = movers.run("restore", repository=tmp_path / "wrong", data=data)
    assert ended.code == 0
    assert listing(data) == {}
    assert (tmp_path / "wrong" / "config").exists()


@pytest.mark.programs
@pytest.mark.parametrize("action", ["restore", "backup"])
def test_a_wrong_password_fails_and_leaves_the_repository_alone(
    movers: Movers, repository: Path, data: Path, action: str
) -> None:
    (data / "word").write_text("other")
    ended = movers.run(action, repository=repository, data=data, RESTIC_PASSWORD="wrong")
    assert ended.code == 3
    assert snapshots(repository) == 1
    assert (data / "word").read_text() == "other"


@pytest.mark.programs
def test_an_empty_volume_is_not_backed_up_at_all(movers: Movers, tmp_path: Path, data: Path) -> None:
    (tmp_path / "none").mkdir()
    ended = movers.run("backup", "prune", repository=tmp_path / "none", data=data)
    assert ended.code == 0
    assert list((tmp_path / "none").iterdir()) == []
    assert "Directory is empty" in ended.log


@pytest.mark.programs
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_an_unreadable_file_fails_the_backup_and_saves_an_incomplete_snapshot(
    movers: Movers, repository: Path, data: Path
) -> None:
    for path in (repository.parent, repository, *repository.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    (data / "readable").write_text("yes")
    (data / "secret").write_text("no")
    (data / "secret").chmod(0o600)
    ended = movers.run("backup", repository=repository, data=data, uid=4000)
    assert ended.code == 3, ended.log
    assert snapshots(repository) == 2


@pytest.mark.programs
def test_a_snapshot_tells_its_paths_as_the_volume_has_them(movers: Movers, repository: Path, data: Path) -> None:
    (data / "data").mkdir()
    (data / "data" / "data").write_text("inner")
    (data / "config.ini").write_text("outer")
    ended = movers.run("backup", repository=repository, data=data, FORGET_OPTIONS="--keep-last 9")
    assert ended.code == 0, ended.log
    newest = restic(repository, "snapshots", "--latest", "1")
    (snapshot,) = json.loads(newest)
    assert snapshot["paths"] == ["/data"]
    assert snapshot["hostname"] == "volsync"
    listed = [json.loads(line) for line in restic(repository, "ls", snapshot["id"]).splitlines()]
    assert [entry["path"] for entry in listed if entry.get("struct_type") == "node"] == ["/config.ini", "/data", "/data/data"]


@pytest.mark.programs
def test_a_container_sees_its_image_s_programs_and_may_write_to_its_mounts_only(
    movers: Movers, repository: Path, data: Path
) -> None:
    asked = "command -v restic; ls /usr/local/bin; touch /root/x /x /usr/local/bin/x 2>&1; touch /tmp/x /data/x && echo written"
    ended = movers.run("-c", asked, repository=repository, data=data, command="/bin/bash")
    lines = ended.log.splitlines()
    assert lines[:2] == ["/usr/local/bin/restic", "restic"]
    assert lines[-1] == "written"
    if os.geteuid() == 0:
        assert sum("Read-only file system" in line for line in lines) == 3
