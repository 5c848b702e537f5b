"""One folder's list as restic keeps it, read into entries. Names are bytes, as a file system has them. Opens nothing."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.backups.repository.sealed import Broken
from adapters.volsync.results import FileEntry
from engine.text.jsontext import Malformed, read

# Go's os.FileMode keeps these three elsewhere than st_mode does.
_GO_BITS = ((1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000))
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_400_YEARS = 146_097  # days: the calendar repeats after them


@dataclass(frozen=True)
class Child:
    """One entry of a folder; `tree` is the id of its own list when it is a folder itself, else "". `pieces` are a file's blobs."""

    entry: FileEntry
    tree: str = ""
    pieces: tuple[str, ...] = ()


def children(content: bytes, folder: str) -> list[Child]:
    """The entries of one tree, with paths below `folder` ("" for the snapshot's top). Raises Broken."""
    try:
        found = read(content, lambda told: [_child(node, folder) for node in told["nodes"] or ()])
    except Broken:
        raise
    except Malformed as error:
        raise Broken(f"a list of a folder has another shape than restic's ({error})") from error
    if len({child.entry.path for child in found}) != len(found):
        raise Broken(f"the list of /{folder} names an entry twice")
    return found


def needed(content: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """What one tree needs to be restored: ids of its files' data and of its folders' own trees. Raises Broken."""
    data: set[str] = set()
    trees: set[str] = set()

    def take(told: Any) -> None:
        for node in told["nodes"] or ():
            if node["type"] == "dir":
                trees.add(str(node["subtree"]))
            elif node["type"] == "file":
                data.update(str(blob) for blob in node.get("content") or ())

    try:
        read(content, take)
    except Malformed as error:
        raise Broken(f"a list of a folder has another shape than restic's ({error})") from error
    return frozenset(data), frozenset(trees)


def _child(node: dict[str, Any], folder: str) -> Child:
    name = unquoted(str(node["name"]))
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise Broken(f"the list of /{folder} holds a name that no folder can hold")
    kind = str(node["type"])
    bits = int(node.get("mode", 0))
    mode = posix_mode(bits)
    own = text_of(name)
    tree = str(node["subtree"]) if kind == "dir" else ""
    linked = kind == "file" and int(node.get("links", 1)) > 1
    device = int(node.get("device", 0))
    entry = FileEntry(
        path=f"{folder}/{own}" if folder else own,
        kind=kind,
        size=int(node.get("size", 0)) if kind == "file" else 0,
        mode=mode,
        uid=int(node.get("uid", 0)),
        gid=int(node.get("gid", 0)),
        mtime_ns=nanoseconds(str(node["mtime"])) if "mtime" in node else None,
        target=_target(node) if kind == "symlink" else None,
        link=(int(node.get("device_id", 0)), int(node["inode"])) if linked else None,
        device=(os.major(device), os.minor(device)) if kind in ("dev", "chardev") else None,
        xattrs=tuple(sorted((str(x["name"]), base64.b64decode(x["value"] or "")) for x in node.get("extended_attributes") or ())),
    )
    return Child(entry, tree, tuple(map(str, node.get("content") or ())) if kind == "file" else ())


@cache
def posix_mode(bits: int) -> int:
    """What st_mode & 0o7777 is, of a mode as Go has it. Of all files of a volume there are a few."""
    return (bits & 0o777) | sum(posix for go, posix in _GO_BITS if bits & go)


def _target(node: dict[str, Any]) -> str:
    raw = node.get("linktarget_raw")  # only there when the target is not UTF-8
    return text_of(base64.b64decode(raw)) if raw else str(node.get("linktarget", ""))


def unquoted(name: str) -> bytes:
    """A name's bytes out of what Go's strconv.Quote made of it. ValueError for an escape that Go does not write."""

    def plain(found: re.Match[str]) -> str:
        word = found[1]
        if word[0] == "x":
            return chr(0xDC00 + int(word[1:], 16)) if int(word[1:], 16) > 0x7F else chr(int(word[1:], 16))
        if word[0] in "uU" and len(word) > 1:
            return chr(int(word[1:], 16))
        if word[0] in "01234567":
            return chr(0xDC00 + int(word, 8)) if int(word, 8) > 0x7F else chr(int(word, 8))
        if word not in _LETTERS:
            raise Malformed("a name has an escape that Go does not write")
        return _LETTERS[word]

    return _ESCAPE.sub(plain, name).encode("utf-8", "surrogateescape")


def text_of(name: bytes) -> str:
    """Bytes of a file system as the paths of FileEntry hold them: what is not UTF-8 as surrogates, nothing lost."""
    return name.decode("utf-8", "surrogateescape")


def nanoseconds(when: str) -> int:
    """RFC 3339 with up to nine digits behind the point, as nanoseconds since the epoch. ValueError for another form."""
    found = _TIME.fullmatch(when)
    if found is None:
        raise Malformed("a time is not written as RFC 3339 has it")
    whole, fraction, zone = found.groups()
    early = whole.startswith("0000-")  # restic's word for a time before the calendar; Python's begins with the year 1
    moment = datetime.fromisoformat(("0400" + whole[4:] if early else whole) + ("+00:00" if zone == "Z" else zone))
    since = moment - _EPOCH
    days = since.days - (_400_YEARS if early else 0)
    return (days * 86400 + since.seconds) * 10**9 + int((fraction or "").ljust(9, "0"))
