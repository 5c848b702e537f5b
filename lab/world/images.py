"""Disk images in the lab: a small real qcow2 file per image, and where they are published. Knows no server."""

from __future__ import annotations

import hashlib
import struct

# QCOW2 version 3 header (QEMU's docs/interop/qcow2): magic, version, backing file, cluster bits, virtual size, …
_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_MAGIC = b"QFI\xfb"


def make_qcow2(virtual_size: int, filling: bytes) -> bytes:
    """A file with a qcow2 header of this virtual size (bytes); `filling` makes its checksum its own. No guest data in it."""
    header = _HEADER.pack(_MAGIC, 3, 0, 0, 16, virtual_size, 0, 1, 3 << 16, 1 << 16, 1, 0, 0, 0, 0, 0, 4, _HEADER.size)
    return header.ljust(1 << 16, b"\0") + filling.ljust(1 << 12, b"\0")


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
    """

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.checksums = True
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
