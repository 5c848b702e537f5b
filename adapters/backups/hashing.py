"""Reads contents out of a snapshot as a stream and hashes them: nothing is kept on disk or in memory. Judges nothing."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import BinaryIO

from adapters.backups.opening import Opened
from adapters.process.results import StreamingRunner
from engine.errors import PermanentError
from engine.workers import Channel, Workers, each

START_BYTES = 50_000_000
"""What starting restic once costs (key derivation, index), in bytes that could be read meanwhile."""
_SLOWEST = 1_000_000  # bytes a second
_START_S = 120.0
_AT_ONCE = 2
_PIECE = 1 << 20

_Hashed = dict[str, tuple[str, int]]
"""Path → sha256 and length, of what came."""


def hashes(
    runner: StreamingRunner,
    opened: Opened,
    snapshot_id: str,
    paths: Sequence[str],
    sizes: Mapping[str, int],
    workers: Workers,
) -> tuple[tuple[str, str], ...]:
    """(path, sha256) in the order of `paths`. One run for the whole snapshot, or one per file when that reads far less.

    `sizes` holds every file of the snapshot, in bytes. Raises the Runner's errors, PermanentError when something is not as long
    as the list says.
    """
    whole = sum(sizes.values())
    wanted = sum(sizes[path] for path in paths)
    if wanted + len(paths) * START_BYTES < whole:
        digests = each(workers, lambda path: _one(runner, opened, snapshot_id, path, sizes[path]), paths, at_once=_AT_ONCE)
        found = dict(zip(paths, digests, strict=True))
    else:
        found = _all(runner, opened, snapshot_id, frozenset(paths), sizes, workers)
    return tuple((path, found[path]) for path in paths)


def _one(runner: StreamingRunner, opened: Opened, snapshot_id: str, path: str, size: int) -> str:
    digest, length = hashlib.sha256(), 0

    def sink(piece: bytes) -> None:
        nonlocal length
        digest.update(piece)
        length += len(piece)

    argv = ["restic", "dump", snapshot_id, f"/{path}", *opened.options]
    runner.stream(argv, sink, env=opened.env, timeout_s=_START_S + size / _SLOWEST)
    _same_length(path, size, length)
    return digest.hexdigest()


def _all(
    runner: StreamingRunner,
    opened: Opened,
    snapshot_id: str,
    paths: frozenset[str],
    sizes: Mapping[str, int],
    workers: Workers,
) -> dict[str, str]:
    """Stream the snapshot as a tar archive through a pipe to a worker that hashes its members."""
    reading, writing = os.pipe()
    argv = ["restic", "dump", "--archive", "tar", snapshot_id, "/", *opened.options]
    inbox: Channel[_Hashed | Exception] = workers.channel()
    workers.start(partial(_hash_members, os.fdopen(reading, "rb"), paths, inbox))
    try:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            runner.stream(argv, _pour(pipe), env=opened.env, timeout_s=_START_S + sum(sizes.values()) / _SLOWEST)
    finally:
        found = inbox.get()  # it comes soon: the worker's reading ends with the pipe
    assert found is not None  # there is no timeout
    if isinstance(found, Exception):
        raise PermanentError(f"snapshot {snapshot_id[:8]} breaks off while it is read", evidence=(str(found),)) from found
    for path in paths:
        if path not in found:
            raise PermanentError(f"snapshot {snapshot_id[:8]} breaks off while it is read", evidence=(f"{path} did not come",))
        _same_length(path, sizes[path], found[path][1])
    return {path: digest for path, (digest, _) in found.items()}


def _pour(pipe: BinaryIO) -> Callable[[bytes], None]:
    def sink(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[pipe.write(rest) :]
            except BrokenPipeError:
                return  # the reader gave up: its error is what counts

    return sink


def _hash_members(stream: BinaryIO, paths: frozenset[str], inbox: Channel[_Hashed | Exception]) -> None:
    try:
        inbox.put(_members(stream, paths))
    except Exception as error:  # noqa: BLE001 - carried to the caller's thread and raised there
        inbox.put(error)


def _members(stream: BinaryIO, paths: frozenset[str]) -> _Hashed:
    found: _Hashed = {}
    with stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = member.name.lstrip("/")
            content = archive.extractfile(member) if path in paths else None
            if content is None:
                continue
            digest, length = hashlib.sha256(), 0
            while piece := content.read(_PIECE):
                digest.update(piece)
                length += len(piece)
            found[path] = (digest.hexdigest(), length)
        while stream.read(_PIECE):  # padding after the archive's end: leave nobody with a broken pipe
            pass
    return found


def _same_length(path: str, wanted: int, found: int) -> None:
    if wanted != found:
        raise PermanentError(f"{path} is listed with {wanted} bytes and came with {found}")
