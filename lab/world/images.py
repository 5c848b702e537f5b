"""Disk images in the lab: a small whole qcow2 file per image, and where they are published. Knows no server."""

from __future__ import annotations

import hashlib
import struct

# QCOW2 version 3 header (QEMU's docs/interop/qcow2): magic, version, backing file, cluster bits, virtual size, encryption,
# L1 entries and place, refcount table's place and clusters, snapshots, features, refcount order, header length.
_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_MAGIC = b"QFI\xfb"
_CLUSTER_BITS = 16
_CLUSTER = 1 << _CLUSTER_BITS
# One L1 entry leads to a table of eight-byte entries, one cluster large.
_PER_L1_ENTRY = _CLUSTER * (_CLUSTER // 8)
# A header extension of an unknown kind, which every reader passes over.
_OURS = 0x4C414231
_L1_AT, _REFCOUNTS_AT, _REFCOUNT_BLOCK_AT = 3 * _CLUSTER, _CLUSTER, 2 * _CLUSTER


def make_qcow2(virtual_size: int, filling: bytes) -> bytes:
    """A whole qcow2 image of this virtual size (bytes) with nothing on its disk; `filling` makes its checksum its own.

    Four clusters: header, refcount table, refcount block, and an L1 table as long as the virtual size wants it.
    """
    entries = -(-virtual_size // _PER_L1_ENTRY)
    header = _HEADER.pack(
        _MAGIC, 3, 0, 0, _CLUSTER_BITS, virtual_size, 0, entries, _L1_AT, _REFCOUNTS_AT, 1, 0, 0, 0, 0, 0, 4, _HEADER.size
    )
    own = hashlib.sha256(filling).digest()
    extensions = struct.pack(">II", _OURS, len(own)) + own + struct.pack(">II", 0, 0)
    table = struct.pack(">Q", _REFCOUNT_BLOCK_AT)
    block = struct.pack(">4H", 1, 1, 1, 1)
    return b"".join(part.ljust(_CLUSTER, b"\0") for part in (header + extensions, table, block, b""))


def problem(content: bytes, suffix: str) -> str:
    """Why QEMU does not open this as an image file of this suffix, in its words; "" when it does. Raw is whatever it is."""
    if suffix != "qcow2":
        return ""
    if content[:4] != _MAGIC or len(content) < _HEADER.size:
        return "Image is not in qcow2 format"
    _, _, _, _, bits, size, _, entries, at, *_ = _HEADER.unpack_from(content)
    if entries < -(-size // (1 << (2 * bits - 3))):
        return "L1 table is too small"
    return "Could not read L1 table: Input/output error" if at + 8 * entries > len(content) else ""


def virtual_size(content: bytes) -> int | None:
    """Bytes of the disk inside an image file: a raw one is as large as its file; None when it is no image at all."""
    if not content:
        return None
    if content[:4] == _MAGIC:
        return int(_HEADER.unpack_from(content)[5]) if len(content) >= _HEADER.size else None
    return None if content.lstrip()[:1] == b"<" else len(content)


class Images:
    """What the lab's Image Factory serves, by URL path.

    `checksums` False makes it the public one, which gives them to paying customers only; `down`: nobody answers.
    `origins`: the only hosts (`name:port`) that answer, each with what is wrong with it ("", "untrusted"); empty: every host.
    """

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.checksums = True
        self.origins: dict[str, str] = {}
        self.down = False

    def publish(self, path: str, content: bytes) -> str:
        """Serve `content` at this path (`/image/…`), and its `.sha256` beside it. Answers the SHA-256 in hex."""
        digest = hashlib.sha256(content).hexdigest()
        self._files[path] = content
        self._files[path + ".sha256"] = f"{digest}  {path.rsplit('/', 1)[-1]}\n".encode()
        return digest

    def get(self, path: str) -> bytes | None:
        """The file at this path, None when there is none."""
        return self._files.get(path)

    def withdraw(self, path: str) -> None:
        """Serve this path no more."""
        self._files.pop(path, None)
