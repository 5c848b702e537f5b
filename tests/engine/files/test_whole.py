"""Files come into their place in one piece, with the mode that was asked for; what fails or is killed leaves nothing in the way."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.files.durable import sync_file_system
from engine.files.whole import put_in_place, put_instead, put_new, put_what_opens, write_new, write_whole
from tests.nobody import as_nobody, own_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("write", [write_whole, write_new])
def test_what_was_written_is_there_alone_and_private(write: Callable[[Path, str], None], tmp_path: Path) -> None:
    write(tmp_path / "file", "ä")
    assert (tmp_path / "file").read_bytes() == "ä".encode()
    assert mode(tmp_path / "file") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_mode_is_the_one_asked_for_else_the_old_ones_else_the_umasks(tmp_path: Path) -> None:
    file = tmp_path / "file"
    old = os.umask(0o027)
    try:
        write_whole(file, "new", mode=None)
        assert mode(file) == 0o640
    finally:
        os.umask(old)
    file.chmod(0o604)
    write_whole(file, "newer", mode=None)
    assert mode(file) == 0o604
    write_whole(file, "newest", mode=0o400)
    assert mode(file) == 0o400


def test_a_link_is_replaced_and_what_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "file").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "file", "new")
    assert not (tmp_path / "file").is_symlink()
    assert [(tmp_path / name).read_text() for name in ("file", "other")] == ["new", "other"]


@pytest.mark.parametrize("planted", ["symlink", "hard link", "pipe"])
def test_nothing_is_written_through_what_somebody_planted_where_it_is_written_first(planted: str, tmp_path: Path) -> None:
    other, part = tmp_path / "other", tmp_path / ".file.part"
    other.write_text("other")
    plant = {"symlink": part.symlink_to, "hard link": part.hardlink_to, "pipe": lambda _other: os.mkfifo(part)}
    plant[planted](other)
    write_whole(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert other.read_text() == "other"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other"]


def test_what_a_killed_writer_left_is_taken_over_with_nothing_of_it(tmp_path: Path) -> None:
    left = tmp_path / ".file.part"
    left.write_text("much more than will be written")
    left.chmod(0o644)
    write_whole(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert mode(tmp_path / "file") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_writer_that_is_killed_while_it_writes_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    dies = "import os, sys, pathlib, engine.files.whole as w; w.os.fsync = lambda fd: os.kill(os.getpid(), 9); " \
        "w.write_whole(pathlib.Path(sys.argv[1]), 'new')"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", dies, str(file)], cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == -9
    assert file.read_text() == "old"
    write_whole(file, "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_two_that_write_at_once_take_turns(tmp_path: Path) -> None:
    """Whoever waits for a name that has been given away meanwhile begins with a file of its own."""
    file, part = tmp_path / "file", tmp_path / ".file.part"
    with part.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=write_whole, args=(file, "second"))
        waiting.start()
        other.write("first")
        other.flush()
        part.replace(file)
    waiting.join(10)
    assert file.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_who_comes_while_what_is_new_has_two_names_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just linked still has its first name for a moment: whoever writes there next must not lose its own file to that."""
    file, went_on, link = tmp_path / "file", threading.Event(), os.link
    began, replace = threading.Event(), Path.replace
    second = threading.Thread(target=write_whole, args=(file, "second"))

    def linked(source: Path, target: Path) -> None:
        link(source, target)
        second.start()
        began.wait(0.2)  # it waits for its turn, and begins no sooner

    def late(source: Path, target: Path) -> Path:
        began.set()
        assert went_on.wait(10)
        return replace(source, target)

    monkeypatch.setattr(os, "link", linked)
    monkeypatch.setattr(Path, "replace", late)
    write_new(file, "first")
    went_on.set()
    second.join(10)
    assert file.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_many_that_write_at_once_leave_one_whole_text(tmp_path: Path) -> None:
    file = tmp_path / "file"
    texts = [str(number) * 5000 for number in range(8)]

    def often(text: str) -> None:
        for _ in range(20):
            write_whole(file, text, lasting=False)

    threads = [threading.Thread(target=often, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert file.read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "file", "new")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_new_replaces_nothing(tmp_path: Path) -> None:
    for name, make in (("file", Path.touch), ("folder", Path.mkdir), ("link", lambda path: path.symlink_to("nowhere"))):
        make(tmp_path / name)
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]
    made = tmp_path / "made"
    made.write_text("made")
    with pytest.raises(FileExistsError):
        put_new(made, tmp_path / "file")
    assert made.read_text() == "made"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_where_a_disk_knows_no_second_names_what_is_new_replaces_nothing_either(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number), str(source))

    monkeypatch.setattr(os, "link", refused)
    write_new(tmp_path / "file", "one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", "two")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "one")]


def test_a_whole_folder_and_a_file_are_given_their_names(tmp_path: Path) -> None:
    made, file = tmp_path / "made", tmp_path / "made" / "in" / "file"
    file.parent.mkdir(parents=True)
    file.write_text("whole")
    (made / "dangling").symlink_to("nowhere")
    os.mkfifo(made / "pipe")  # is not opened: that would wait for a writer
    put_in_place(made, tmp_path / "there")
    assert (tmp_path / "there" / "in" / "file").read_text() == "whole"
    put_in_place(tmp_path / "there" / "in" / "file", tmp_path / "there" / "file")
    (tmp_path / "other").mkdir()
    with pytest.raises(OSError) as refused:
        put_in_place(tmp_path / "other", tmp_path / "there")
    assert refused.value.errno == errno.ENOTEMPTY


def test_a_folder_takes_the_place_of_a_full_one(tmp_path: Path) -> None:
    folders(tmp_path)
    (tmp_path / "aside").mkdir()
    (tmp_path / "aside" / "of a killed one").touch()
    put_instead(tmp_path / "made", tmp_path / "there", tmp_path / "aside")
    assert names_below(tmp_path) == {"there", "there/new"}
    (tmp_path / "there").rename(tmp_path / "made")
    (tmp_path / "aside").mkdir()
    put_instead(tmp_path / "made", tmp_path / "there", tmp_path / "aside")
    assert names_below(tmp_path) == {"there", "there/new"}, "of one that was killed between the two nothing is left either"


def test_the_old_folder_stays_where_the_disk_does_not_take_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders(tmp_path)
    moved: list[bool] = []

    def refused(_: int) -> None:
        moved.append(not (tmp_path / "there").exists())
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(OSError):
        put_instead(tmp_path / "made", tmp_path / "there", tmp_path / "aside")
    assert moved == [False], "it moves once the new one is on the disk: that may take seconds, and end with a power cut"
    assert names_below(tmp_path) == {"made", "made/new", "there", "there/old"}


def test_the_old_folder_comes_back_where_the_new_one_cannot_have_its_name(tmp_path: Path) -> None:
    folders(tmp_path)
    with pytest.raises(OSError):
        put_instead(tmp_path / "made" / "new", tmp_path / "there", tmp_path / "made" / "aside" / "there")
    assert names_below(tmp_path) == {"made", "made/new", "there", "there/old"}
    (tmp_path / "made" / "below").mkdir()
    with pytest.raises(OSError):  # no folder can be moved into itself
        put_instead(tmp_path / "made", tmp_path / "made" / "below", tmp_path / "aside")
    assert names_below(tmp_path) == {"made", "made/new", "made/below", "there", "there/old"}


def folders(root: Path) -> None:
    for name, file in (("there", "old"), ("made", "new")):
        (root / name).mkdir()
        (root / name / file).touch()


def names_below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_what_our_rights_do_not_let_us_open_is_told_and_all_else_is_on_the_disk(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As restic writes what a backup holds: with modes that are the application's, not ours."""
    for name, mode_of in {"open": 0o700, "shut": 0o300, "blind": 0o600}.items():
        (somewhere / "made" / name).mkdir(parents=True)
        (somewhere / "made" / name / "file").write_text("x")
        (somewhere / "made" / name / "file").chmod(0o400)
        (somewhere / "made" / name).chmod(mode_of)
    (somewhere / "made" / "open" / "secret").touch(0o000)
    (somewhere / "made" / "open" / "link").symlink_to("nowhere")
    os.mkfifo(somewhere / "made" / "open" / "pipe")
    synced = list[str]()
    fsync = os.fsync

    def counted(number: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{number}").readlink()).removeprefix(f"{somewhere}/"))
        fsync(number)

    monkeypatch.setattr(os, "fsync", counted)
    with pytest.raises(PermissionError):
        put_in_place(somewhere / "made", somewhere / "there")
    assert not (somewhere / "there").exists()
    synced.clear()
    left = put_what_opens(somewhere / "made", somewhere / "there", at_once=one_by_one)
    assert {str(path.relative_to(somewhere)) for path in left} == {"there/shut", "there/open/secret", "there/blind/file"}
    assert set(synced) == {"made", "made/open", "made/open/file", "made/blind", str(somewhere)}
    assert put_what_opens(somewhere / "there" / "open" / "link", somewhere / "link", at_once=one_by_one) == ()


def one_by_one(_: Path) -> bool:
    return False


def test_many_files_are_waited_for_together_before_their_name_and_with_it(somewhere: Path) -> None:
    folders(somewhere)
    (somewhere / "made" / "new").chmod(0)
    named: list[bool] = []

    def together(folder: Path) -> bool:
        named.append((somewhere / "there" / "it").exists())
        return sync_file_system(folder)

    assert put_what_opens(somewhere / "made", somewhere / "there" / "it", at_once=together) == ()
    assert named == [False, True]
    somewhere.chmod(0o300)
    assert not sync_file_system(somewhere)
    somewhere.chmod(0o700)


@pytest.mark.parametrize("after", [0, 1])
def test_a_disk_that_does_not_take_it_leaves_it_with_its_first_name(tmp_path: Path, after: int) -> None:
    folders(tmp_path)
    took: list[Path] = []

    def failing(folder: Path) -> bool:
        took.append(folder)
        if len(took) > after:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return True

    with pytest.raises(OSError):
        put_what_opens(tmp_path / "made", tmp_path / "there" / "it", at_once=failing)
    assert names_below(tmp_path) == {"made", "made/new", "there", "there/old"}


def test_a_file_system_that_cannot_be_waited_for_is_told_and_one_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path)
    said = [errno.EINVAL]

    def refused(_: int) -> None:
        raise OSError(said[0], os.strerror(said[0]))

    monkeypatch.setattr(os, "fsync", refused)
    new = tmp_path / "there"
    assert set(put_what_opens(tmp_path / "made", new / "it", [new], one_by_one)) == {new / "it", new / "it" / "new", new, tmp_path}
    said[0] = errno.EIO
    with pytest.raises(OSError):
        put_what_opens(new / "it", tmp_path / "it", at_once=one_by_one)
    assert (new / "it").exists()


@pytest.fixture
def somewhere() -> Iterator[Path]:
    with own_folder() as folder, as_nobody(folder):
        yield folder
