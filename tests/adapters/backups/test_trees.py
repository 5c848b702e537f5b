"""The reader of trees on repositories made by hand: what it must understand, and what it must never take for whole."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from adapters.backups.repository.nodes import children, nanoseconds, unquoted
from adapters.backups.repository.sealed import Broken, NoKeyFits
from adapters.backups.repository.trees import FormatUnknown, SnapshotAbsent, Walked, walk
from adapters.backups.stores.local import LocalPlace
from engine.secrets import Secret
from engine.workers import Threads
from tests.adapters.backups.handmade import PASSWORD, Handmade, node


def walked(made: Handmade, snapshot: str, password: str = PASSWORD) -> Walked:
    return walk(LocalPlace(made.root), Secret(password), snapshot, Threads())


@pytest.fixture(params=[1, 2])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Handmade:
    return Handmade(tmp_path / "repo", request.param)


def small(made: Handmade) -> str:
    """A snapshot of a file and a folder with a file, each tree in a pack of its own."""
    below = made.tree(node("b", size=5))
    made.pack()
    top = made.tree(node("a"), node("sub", "dir", mode=(1 << 31) | 0o755, subtree=below))
    made.index()
    return made.snapshot(top)


def test_a_snapshot_is_every_entry_below_its_top_sorted(made: Handmade) -> None:
    found = walked(made, small(made))
    assert [(e.path, e.kind, e.size, e.mode, e.uid, e.gid) for e in found.entries] == [
        ("a", "file", 3, 0o644, 1, 2), ("sub", "dir", 0, 0o755, 1, 2), ("sub/b", "file", 5, 0o644, 1, 2),
    ]  # fmt: skip
    assert found.broken == "" and found.read_bytes > 0


def test_all_that_restic_keeps_of_an_entry_is_told(made: Handmade) -> None:
    top = made.tree(
        node("f", mode=(1 << 23) | (1 << 22) | 0o711, mtime="1969-12-31T23:59:59.5+01:00"),
        node("l", "symlink", linktarget="to here", extended_attributes=[]),
        node("m", "symlink", linktarget="\ufffd", linktarget_raw="//4="),
        node("h", links=2, inode=7, device_id=3),
        node("c", "chardev", device=(1 << 8) | 3),
        node("t", "dir", mode=2148532735, subtree=made.tree()),
        node("x", extended_attributes=[{"name": "user.z", "value": "AP8="}, {"name": "user.a=b", "value": None}]),
    )
    made.index()
    found = {entry.path: entry for entry in walked(made, made.snapshot(top)).entries}
    assert (found["f"].mode, found["f"].mtime_ns) == (0o6711, -3600 * 10**9 - 500_000_000)
    assert (found["l"].target, found["m"].target) == ("to here", "\udcff\udcfe")
    assert (found["h"].link, found["f"].link) == ((3, 7), None)
    assert found["c"].device == (1, 3)
    assert found["t"].mode == 0o1777
    assert found["x"].xattrs == (("user.a=b", b""), ("user.z", b"\x00\xff")) and found["f"].xattrs == ()


@pytest.mark.parametrize(
    ("quoted", "name"),
    [
        ("plain", b"plain"),
        ("latin\\xff1", b"latin\xff1"),
        ("tab\\t and \\x7f", b"tab\t and \x7f"),
        ("back\\\\slash \\\"quote\\\"", b'back\\slash "quote"'),
        ("\\u2028 \\U0001f600 é", "\u2028 \U0001f600 é".encode()),
        ("\\ufffd", "\ufffd".encode()),
        ("\\xc3\\x28", b"\xc3("),
        ("a\\nb", b"a\nb"),
    ],
)
def test_a_name_is_its_bytes_however_go_quotes_it(quoted: str, name: bytes) -> None:
    assert unquoted(quoted) == name


def test_times_have_nine_digits_any_zone_and_any_year() -> None:
    assert nanoseconds("1970-01-01T00:00:01.000000001Z") == 1_000_000_001
    assert nanoseconds("2026-06-01T02:00:00+02:00") == 1780272000 * 10**9
    assert nanoseconds("0000-01-01T00:00:00Z") == -62167219200 * 10**9
    for wrong in ("", "yesterday", "2026-01-01", "2026-01-01 00:00:00Z"):
        with pytest.raises(ValueError):
            nanoseconds(wrong)


NODE: dict[str, object] = {
    "name": "plain", "type": "file", "mode": 0o644, "size": 3, "uid": 0, "gid": 0, "mtime": "2026-01-01T00:00:00Z", "content": [],
    "links": 2, "device_id": 1, "inode": 2, "device": 3, "linktarget": "to", "subtree": "00",
}  # fmt: skip


WRONG = ("hunter2-of-the-store", "\\qhunter2", "2026-01-01 hunter2", ["hunter2"], {"hunter2": "hunter2"})


def test_what_is_wrong_with_a_list_quotes_nothing_of_it() -> None:
    """It may be a secret that nobody here knows, and so could not take out."""
    told = set()
    for kind, field, word in product(("file", "dir", "symlink", "dev"), (*NODE, "linktarget_raw", "extended_attributes"), WRONG):
        try:
            children(json.dumps({"nodes": [NODE | {"type": kind, field: word}]}).encode(), "config")
        except Broken as error:
            told.add(str(error))
    assert len(told) > 3 and not [words for words in told if "hunter2" in words]


def test_the_wrong_password_and_a_snapshot_that_is_not_there_are_not_damage(made: Handmade) -> None:
    snapshot = small(made)
    with pytest.raises(NoKeyFits):
        walked(made, snapshot, "another-password")
    with pytest.raises(SnapshotAbsent):
        walked(made, "12" * 32)
    made.add_key("another-password")
    assert walked(made, snapshot, "another-password").broken == ""


def test_a_later_format_is_said_and_not_guessed_at(tmp_path: Path) -> None:
    made = Handmade(tmp_path / "repo")
    made.format = 3
    made.__post_init__()
    with pytest.raises(FormatUnknown, match="format 3"):
        walked(made, small(made))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("what", ["keys", "config", "index", "snapshots", "data"])
@pytest.mark.parametrize("harm", ["flipped", "cut", "emptied", "gone"])
def test_no_damage_leaves_a_whole_list(made: Handmade, what: str, harm: str) -> None:
    snapshot = small(made)
    found = [path for path in sorted(made.root.rglob("*")) if path.is_file() and path.relative_to(made.root).parts[0] == what]
    for path in found:
        match harm:
            case "flipped":
                flip(path)
            case "cut":
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # a pack's end is no tree
            case "emptied":
                path.write_bytes(b"")
            case "gone":
                path.unlink()
    try:
        assert walked(made, snapshot).broken
    except (NoKeyFits, SnapshotAbsent):
        assert (what, harm) in (("keys", "gone"), ("keys", "flipped"), ("snapshots", "gone"))


@pytest.mark.parametrize(
    "nodes",
    [
        [node("a"), node("a")],
        [node("")],
        [node("..")],
        [node("a/b")],
        [node("\\q")],
        [{"type": "file"}],
        [node("a", mtime="soon")],
    ],
)
def test_a_list_that_restic_cannot_have_written_is_not_whole(made: Handmade, nodes: list[dict[str, object]]) -> None:
    top = made.tree(*nodes)
    made.index()
    assert walked(made, made.snapshot(top)).broken
