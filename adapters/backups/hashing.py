"""Reads all contents out of a snapshot as one stream and hashes them: nothing is kept on disk or in memory. Judges nothing."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from typing import BinaryIO

from adapters.backups.opening import Opened
from adapters.process.results import StreamingRunner
from engine.errors import PermanentError
from engine.text.words import number
from engine.workers import Channel, Workers

_SLOWEST = 1_000_000  # bytes a second
_START_S = 120.0
_PIECE = 1 << 20

_Hashed = dict[str, tuple[str, int]]
"""Path → sha256 and length, of what came."""


def hashes(
    runner: StreamingRunner, opened: Opened, snapshot_id: str, sizes: Mapping[str, int], workers: Workers
) -> tuple[tuple[str, str], ...]:
    """(path, sha256) of every file, in the order of `sizes`, which holds their bytes as the snapshot's list has them.

    Raises the Runner's errors, PermanentError when a file did not come or is not as long as the list says.
    """
    reading, writing = os.pipe()
    argv = ["restic", "dump", "--archive", "tar", snapshot_id, "/", *opened.options]
    inbox: Channel[_Hashed | Exception] = workers.channel()
    workers.start(partial(_hash_members, os.fdopen(reading, "rb"), inbox))
    try:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            runner.stream(argv, _pour(pipe), env=opened.env, timeout_s=_START_S + sum(sizes.values()) / _SLOWEST)
    finally:
        found = inbox.get()  # it comes soon: the worker's reading ends with the pipe
    assert found is not None  # there is no timeout
    broken = f"snapshot {snapshot_id[:8]} breaks off while it is read"
    if isinstance(found, Exception):
        raise PermanentError(broken, evidence=(str(found),)) from found
    for path, size in sizes.items():
        if path not in found:
            raise PermanentError(broken, evidence=(f"{path} did not come",))
        if found[path][1] != size:
            raise PermanentError(f"{path} is listed with {number(size, 'byte')} and came with {found[path][1]}")
    return tuple((path, found[path][0]) for path in sizes)


def _pour(pipe: BinaryIO) -> Callable[[bytes], None]:
    def sink(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[pipe.write(rest) :]
            except BrokenPipeError:
                return  # the reader gave up: its error is what counts

    return sink


def _hash_members(stream: BinaryIO, inbox: Channel[_Hashed | Exception]) -> None:
    try:
        inbox.put(_members(stream))
    except Exception as error:  # noqa: BLE001 - carried to the caller's thread and raised there
        inbox.put(error)


def _members(stream: BinaryIO) -> _Hashed:
    found: _Hashed = {}
    with stream, tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            digest, length = hashlib.sha256(), 0
            while piece := content.read(_PIECE):
                digest.update(piece)
                length += len(piece)
            found[member.name.lstrip("/")] = (digest.hexdigest(), length)
        while stream.read(_PIECE):  # padding after the archive's end: leave nobody with a broken pipe
            pass
    return found
