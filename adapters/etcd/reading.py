"""Looks at one snapshot file: its hash, its revision, whose cluster it is, when that last wrote. Runs no program, asks nobody.

etcd keeps every revision of every key in the bucket `key`, in order of revisions: key is 8 bytes of it, `_`, 8 bytes of the
change within it, and a mark for a deletion; value is a protobuf message with the key and the object.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from adapters.etcd.bolt import Bolt, NotBolt
from adapters.etcd.results import EtcdSnapshot
from engine.text.jsontext import Malformed, an_object, read
from engine.text.words import number

TRAILER = 32
_ALIGNED = 512
_LAST = 253_402_300_800
"""The second after the last one of year 9999: what a damaged number says beyond it is no time."""
_AUTHORITY = b"/registry/configmaps/kube-system/kube-root-ca.crt"
_LEASES = b"/registry/leases/kube-node-lease/"
_OBJECTS = b"/registry/"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY, _VALUE = 1, 5
_KEPT = (_AUTHORITY, _LEASES)


def look_at(path: Path, name: str = "") -> EtcdSnapshot:
    """All of that. What is wrong with it is its `problem`, never an exception."""
    name = name or str(path)
    try:
        there = path.stat()
        return replace(_opened(path, name, there), written=there.st_mtime)
    except OSError as error:
        return EtcdSnapshot(name, f"it cannot be read: {error.strerror}")


def _opened(path: Path, name: str, there: os.stat_result) -> EtcdSnapshot:
    if not stat.S_ISREG(there.st_mode):
        return EtcdSnapshot(name, "it is no file")
    if there.st_size < 2 * 4096:
        return EtcdSnapshot(name, f"it is no snapshot: {number(there.st_size, 'byte')}", size=there.st_size)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(name, data, len(data))
    except NotBolt as no:
        return EtcdSnapshot(name, str(no))
    except struct.error:
        return EtcdSnapshot(name, "its pages make no sense: it is damaged")


def _read(name: str, data: mmap.mmap, size: int) -> EtcdSnapshot:
    body = size - TRAILER if size % _ALIGNED == TRAILER else size
    digest, within = hashlib.sha256(data), hashlib.sha256(memoryview(data)[:body])
    hashed = body != size
    if hashed and within.digest() != data[body:size]:
        return EtcdSnapshot(name, "its hash does not fit: bytes of it changed since it was taken", size=size)
    if not hashed and size % _ALIGNED:
        return EtcdSnapshot(name, f"no whole pages and no hash behind them, in {number(size, 'byte')}: it is cut off", size=size)
    bolt = Bolt(data, body)
    alive, kept, revision = _alive(bolt)
    if not any(key.startswith(_OBJECTS) for key in alive):
        return EtcdSnapshot(name, "it holds no object of Kubernetes", hashed, digest.hexdigest(), size, revision, len(alive))
    return EtcdSnapshot(
        name, "", hashed, digest.hexdigest(), size, revision, len(alive),
        taken=max((_renewed(value) for key, value in kept.items() if key.startswith(_LEASES)), default=0.0),
        authority=_authority(kept.get(_AUTHORITY, b"")),
        members=tuple(sorted(_members(bolt))),
    )  # fmt: skip


def _alive(bolt: Bolt) -> tuple[set[bytes], dict[bytes, bytes], int]:
    """The keys that are alive, the values of those that are looked into, and the last revision."""
    alive: set[bytes] = set()
    kept: dict[bytes, bytes] = {}
    revision = 0
    for at, value in bolt.bucket(b"key"):
        if len(at) < 17 or at[8:9] != b"_":
            raise NotBolt("a revision that is none")
        revision = max(revision, int.from_bytes(at[:8], "big"))
        found = dict(_fields(value))
        key = found.get(_KEY, b"")
        if not isinstance(key, bytes):
            raise NotBolt("a key that is none")
        if at[17:] == b"t":
            alive.discard(key)
            kept.pop(key, None)
            continue
        alive.add(key)
        inner = found.get(_VALUE, b"")
        if key.startswith(_KEPT) and isinstance(inner, bytes):
            kept[key] = inner
    return alive, kept, revision


def _members(bolt: Bolt) -> Iterator[str]:
    """Names in the list that etcd keeps beside its keys; one that never started has none."""
    for _, value in bolt.bucket(b"members"):
        try:
            told = read(value, an_object)
        except Malformed:
            raise NotBolt("a member that is no JSON") from None
        if told.get("name"):
            yield str(told["name"])


def _authority(configmap: bytes) -> str:
    found = _PEM.search(configmap)
    return found.group().decode() if found else ""


def _renewed(lease: bytes) -> float:
    """When a node's Lease was last renewed: out of its protobuf (`k8s`, NUL, an envelope, spec 2, renewTime 4); 0.0: unsaid."""
    try:
        raw = dict(_fields(lease[4:])).get(2, b"") if lease[:4] == b"k8s\x00" else b""
        spec = dict(_fields(raw)).get(2, b"") if isinstance(raw, bytes) else b""
        time = dict(_fields(spec)).get(4, b"") if isinstance(spec, bytes) else b""
        told = dict(_fields(time)) if isinstance(time, bytes) else {}
    except NotBolt:
        return 0.0
    seconds, nanos = told.get(1, 0), told.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not 0 <= seconds < _LAST:
        return 0.0
    return seconds + nanos / 1e9


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protobuf message, as they lie there. NotBolt where it is none."""
    at = 0
    while at < len(message):
        head, at = _varint(message, at)
        number, kind = head >> 3, head & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise NotBolt("a value reaches out of its message")
            yield number, message[at : at + length]
            at += length
        else:
            raise NotBolt("a value of no known kind")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise NotBolt("a number without an end")
