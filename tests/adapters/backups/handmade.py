"""A restic repository made by hand, without restic: any tree, any damage. The reader of trees is tried on it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

PASSWORD = "restic-password"


def seal(key: bytes, content: bytes) -> bytes:
    """As restic seals with the 64 bytes of a key: encrypt, mac k, mac r."""
    nonce = os.urandom(16)
    sealed = Cipher(algorithms.AES(key[:32]), modes.CTR(nonce)).encryptor().update(content)
    pad = Cipher(algorithms.AES(key[32:48]), modes.ECB()).encryptor().update(nonce)
    mac = Poly1305(key[48:] + pad)
    mac.update(sealed)
    return nonce + sealed + mac.finalize()


def node(name: str, kind: str = "file", **changes: Any) -> dict[str, Any]:
    """One entry of a tree as restic writes it; `name` as Go quotes it."""
    base = {"name": name, "type": kind, "mode": 0o644, "mtime": "2026-01-01T00:00:00Z", "uid": 1, "gid": 2, "links": 1}
    return base | ({"size": 3} if kind == "file" else {}) | changes


@dataclass
class Handmade:
    """The repository. `format` 1 keeps JSON as it is, 2 compresses; packs hold what `tree` was called for between two `pack`s."""

    root: Path
    format: int = 2
    password: str = PASSWORD
    master: bytes = field(default_factory=lambda: os.urandom(64))
    waiting: list[tuple[str, str, bytes, int | None]] = field(default_factory=list)
    packs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add_key(self.password)
        self.write("config", seal(self.master, json.dumps({"version": self.format, "id": "c0ffee" * 10 + "abcd"}).encode()))

    def write(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def add_key(self, password: str) -> Path:
        salt = os.urandom(64)
        derived = hashlib.scrypt(password.encode(), salt=salt, n=16, r=8, p=1, dklen=64)
        parts = [base64.b64encode(part).decode() for part in (self.master[:32], self.master[32:48], self.master[48:])]
        inside = json.dumps({"encrypt": parts[0], "mac": {"k": parts[1], "r": parts[2]}}).encode()
        data = base64.b64encode(seal(derived, inside)).decode()
        told = {"kdf": "scrypt", "N": 16, "r": 8, "p": 1, "salt": base64.b64encode(salt).decode(), "data": data}
        return self._named("keys", json.dumps(told).encode())

    def tree(self, *nodes: dict[str, Any]) -> str:
        """Put a tree into the pack that is being filled; answers its id."""
        return self.blob("tree", json.dumps({"nodes": list(nodes)}).encode() + b"\n")

    def data(self, content: bytes) -> str:
        """Put a piece of a file there; answers its id."""
        return self.blob("data", content)

    def blob(self, kind: str, content: bytes) -> str:
        """Either of them."""
        tree = hashlib.sha256(content).hexdigest()
        small = zstandard.ZstdCompressor().compress(content) if self.format == 2 else content
        self.waiting.append((kind, tree, seal(self.master, small), len(content) if self.format == 2 else None))
        return tree

    def pack(self) -> Path:
        """Write the pack; what it holds is told by the next index."""
        header = 36 + len(self.waiting) * (41 if self.format == 2 else 37)  # nobody reads it, and its size counts
        content = b"".join(sealed for _, _, sealed, _ in self.waiting) + os.urandom(header)
        blobs, offset = [], 0
        for kind, tree, sealed, plain in self.waiting:
            blob: dict[str, Any] = {"id": tree, "type": kind, "offset": offset, "length": len(sealed)}
            blobs.append(blob | ({"uncompressed_length": plain} if plain is not None else {}))
            offset += len(sealed)
        self.waiting = []
        name = hashlib.sha256(content).hexdigest()
        self.packs.append({"id": name, "blobs": blobs})
        return self.write(f"data/{name[:2]}/{name}", content)

    def index(self) -> Path:
        """Write an index of all packs that no index tells yet."""
        if self.waiting:
            self.pack()
        told, self.packs = {"packs": self.packs}, []
        return self._named("index", self._sealed(json.dumps(told).encode()))

    def snapshot(self, tree: str, **changes: Any) -> str:
        told = {"time": "2026-01-01T03:00:00Z", "tree": tree, "paths": ["/data"], "hostname": "volsync"} | changes
        return self._named("snapshots", self._sealed(json.dumps(told).encode())).name

    def _sealed(self, content: bytes) -> bytes:
        packed = b"\x02" + zstandard.ZstdCompressor().compress(content) if self.format == 2 else content
        return seal(self.master, packed)

    def _named(self, folder: str, content: bytes) -> Path:
        return self.write(f"{folder}/{hashlib.sha256(content).hexdigest()}", content)
