"""Opens what restic has sealed: keys, configs, indexes, blobs. Knows the format and no place: bytes come in, bytes go out.

The format is restic's design document's: a file is an initialisation vector of 16 bytes, AES-256-CTR, and a Poly1305-AES tag
of 16 bytes; what is not a blob is JSON, packed by zstd behind a byte 2 since format 2.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

from engine.secrets import Secret
from engine.text.jsontext import Malformed, an_object, read
from engine.text.words import number

OVERHEAD = 32
"""Bytes that sealing adds: the vector and the tag."""
_IV = _TAG = 16
_PACKED = 2
_SCRYPT_MEMORY = (1 << 31) - 2  # the most that hashlib allows; restic takes 32 MiB
_CLEAR_TOP, _CLEAR_LOW = (3, 7, 11, 15), (4, 8, 12)


class Broken(Malformed):
    """The bytes are not what this key sealed, or not what they should be."""


class NoKeyFits(Exception):
    """The password opens none of the keys."""


@dataclass(frozen=True)
class MasterKey:
    """The repository's own key: what all of it but the key files is sealed with. Never shown."""

    encrypt: bytes = field(repr=False)
    mac_k: bytes = field(repr=False)
    mac_r: bytes = field(repr=False)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises Broken when one bit of it is another."""
        if len(sealed) < OVERHEAD:
            raise Broken(f"{number(len(sealed), 'byte is', 'bytes are')} too short to be anything")
        vector, body, tag = sealed[:_IV], sealed[_IV:-_TAG], sealed[-_TAG:]
        one_time = Cipher(algorithms.AES(self.mac_k), modes.ECB()).encryptor().update(vector)  # noqa: S305 - Poly1305-AES is defined so
        mac = Poly1305(_clamped(self.mac_r) + one_time)
        mac.update(body)
        try:
            mac.verify(tag)
        except InvalidSignature as error:
            raise Broken("its checksum is wrong") from error
        return Cipher(algorithms.AES(self.encrypt), modes.CTR(vector)).decryptor().update(body)

    def unpacked(self, sealed: bytes) -> bytes:
        """The JSON of a sealed config, index, lock or snapshot, whichever format the repository has. Raises Broken."""
        plain = self.open(sealed)
        if plain[:1] in (b"{", b"["):
            return plain
        if not plain or plain[0] != _PACKED:
            raise Broken("it is neither JSON nor packed JSON")
        return decompressed(plain[1:])


def master_key(files: Iterable[bytes], password: Secret) -> MasterKey:
    """The master key out of the first key file that the password opens.

    Raises NoKeyFits when it opens none of them, Broken when one that might have fitted cannot be read. Costs what restic's own
    start costs, once in a process: about half a second of one processor for each key that is tried.
    """
    broken: Broken | None = None
    for content in files:
        try:
            return _opened(content, password)
        except _OtherPassword:
            continue
        except Broken as error:
            broken = error
    raise broken or NoKeyFits("the password opens none of its keys")


def decompressed(packed: bytes) -> bytes:
    """What zstd packed, as restic writes it (one frame, its size told or not). Raises Broken."""
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    except zstandard.ZstdError as error:
        raise Broken(f"it cannot be unpacked ({error})") from error


class _OtherPassword(Exception):
    """This key is another password's."""


def _opened(content: bytes, password: Secret) -> MasterKey:
    try:
        told = read(content, an_object)
        salt, data = base64.b64decode(told["salt"]), base64.b64decode(told["data"])
        derived = _derived(password, salt, told["N"], told["r"], told["p"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise Broken("a key file is not what restic writes") from error
    try:
        plain = MasterKey(derived[:32], derived[32:48], derived[48:]).open(data)
    except Broken as error:
        raise _OtherPassword from error
    try:
        parts = read(plain, lambda key: [base64.b64decode(part) for part in (key["encrypt"], key["mac"]["k"], key["mac"]["r"])])
        return MasterKey(*parts)
    except Malformed as error:
        raise Broken("a key file holds no key") from error


@lru_cache(maxsize=64)
def _derived(password: Secret, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Made to be slow: whoever looks at a repository's snapshots walks one of them next."""
    return hashlib.scrypt(password.reveal().encode(), salt=salt, n=n, r=r, p=p, dklen=64, maxmem=_SCRYPT_MEMORY)


def _clamped(r: bytes) -> bytes:
    masked = bytearray(r)
    for at in _CLEAR_TOP:
        masked[at] &= 15
    for at in _CLEAR_LOW:
        masked[at] &= 252
    return bytes(masked)
