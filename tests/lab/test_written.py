"""Files of a volume as an application writes them, or makes nonsense of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.running.control import digest_of
from lab.running.written import rot, spoil, write


def test_what_an_application_writes_is_there_and_its_digest_is_told(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "one").write_text("first")
    told = write(tmp_path, "notes/two", "second")
    assert (tmp_path / "notes" / "two").read_text() == "second"
    assert told["sha256"].startswith("16367aacb67a4a01")
    assert (tmp_path / "notes" / "two").stat().st_uid == (tmp_path / "one").stat().st_uid


@pytest.mark.parametrize("name", ["../beside", "/etc/passwd", "a/../../b"])
def test_nothing_is_written_beside_the_volume(tmp_path: Path, name: str) -> None:
    (tmp_path / "volume").mkdir()
    with pytest.raises(ValueError, match="no path on the volume"):
        write(tmp_path / "volume", name, "x")
    assert list((tmp_path / "volume").iterdir()) == []


def test_nonsense_is_all_that_is_left(tmp_path: Path) -> None:
    for name in ("lost+found", "photos"):
        (tmp_path / name).mkdir()
    for name in ("one", "photos/two"):
        (tmp_path / name).write_text(name)
    assert spoil(tmp_path) == {"gone": 2}
    assert digest_of(tmp_path)["files"] == 1
    assert (tmp_path / "lost+found").is_dir()


def test_what_a_disk_rots_is_another_byte_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    for name, text in (("lost+found/piece", "of no one"), ("a-empty", ""), ("one", "written"), ("two", "written")):
        (tmp_path / name).write_text(text)
    before = (tmp_path / "one").stat()
    assert rot(tmp_path) == {"path": "one"}
    after = (tmp_path / "one").stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (before.st_mtime_ns, before.st_size, before.st_ino)
    assert [(tmp_path / name).read_text() == "written" for name in ("one", "two")] == [False, True]


def test_nothing_can_rot_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="no file with a byte"):
        rot(tmp_path)
