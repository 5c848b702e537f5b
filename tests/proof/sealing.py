"""Writes into a restic repository what restic itself would not: rewritten snapshots, forged locks and indexes, cheap keys."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

from adapters.backups.repository.sealed import MasterKey, master_key
from engine.secrets import Secret

_COST = {"N": 16, "r": 8, "p": 1}
"""Deriving a key that costs nothing: a repository of these tests holds no secret, and is opened hundreds of times."""


def sealed(key: MasterKey, plain: bytes) -> bytes:
    """What `key.open` gives `plain` back for."""
    vector = os.urandom(16)
    body = Cipher(algorithms.AES(key.encrypt), modes.CTR(vector)).encryptor().update(plain)
    r = bytearray(key.mac_r)
    for at in (3, 7, 11, 15):
        r[at] &= 15
    for at in (4, 8, 12):
        r[at] &= 252
    mac = Poly1305(bytes(r) + Cipher(algorithms.AES(key.mac_k), modes.ECB()).encryptor().update(vector))
    mac.update(body)
    return vector + body + mac.finalize()


def key_of(repository: Path, password: str) -> MasterKey:
    """The repository's master key."""
    return master_key([file.read_bytes() for file in (repository / "keys").iterdir()], Secret(password))


def put(repository: Path, folder: str, content: bytes) -> Path:
    """A file named by its checksum, as all but the config are."""
    file = repository / folder / hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    return file


def put_json(repository: Path, key: MasterKey, folder: str, value: object) -> Path:
    """A sealed file of JSON: a snapshot, an index, a lock."""
    return put(repository, folder, sealed(key, json.dumps(value).encode()))


def cheapen(repository: Path, password: str) -> None:
    """Replace the keys by one whose derivation takes no time."""
    key = key_of(repository, password)
    for file in (repository / "keys").iterdir():
        file.unlink()
    put_key(repository, key, password)


def put_key(repository: Path, key: MasterKey, password: str) -> Path:
    """One more key file, of this password."""
    salt = os.urandom(64)
    derived = hashlib.scrypt(password.encode(), salt=salt, n=_COST["N"], r=_COST["r"], p=_COST["p"], dklen=64)
    held = {"mac": {"k": _text(key.mac_k), "r": _text(key.mac_r)}, "encrypt": _text(key.encrypt)}
    data = sealed(MasterKey(derived[:32], derived[32:48], derived[48:]), json.dumps(held).encode())
    told: Mapping[str, Any] = {
        "created": "2026-01-01T00:00:00Z", "username": "root", "hostname": "lab", "kdf": "scrypt", **_COST,
        "salt": _text(salt), "data": _text(data),
    }  # fmt: skip
    return put(repository, "keys", json.dumps(told).encode())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
