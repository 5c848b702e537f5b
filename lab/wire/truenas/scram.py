"""A login of 26 in which the key is never sent (RFC 5802 with SHA-512), the server's side. Knows no user and no connection.

What TrueNAS adds to the RFC: the user's name is followed by the number of the key (`n=blackstart:3`), both nonces are of 32 bytes
and the common one is the base64 of both, and the channel is bound by RFC 5929's `tls-server-end-point`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from functools import cache

BOUND = "p=tls-server-end-point"
ITERATIONS = 50_000
"""The fewest that a client takes."""
_NONCE = 32


class BadMessage(Exception):
    """A message that is none of this exchange."""


@cache
def _salted(key: str) -> tuple[bytes, bytes]:
    """(salt, salted key) of one key: 26 keeps these and not the key itself, so they are the same in each login."""
    salt = hashlib.sha256(b"lab" + key.encode()).digest()[:16]
    return salt, hashlib.pbkdf2_hmac("sha512", key.encode(), salt, ITERATIONS)


class Exchange:
    """One login, from the client's first message on. Raises BadMessage where that is none."""

    def __init__(self, first: str) -> None:
        self.header, _, self._bare = first.partition(",,")
        fields = _fields(self._bare)
        self.name, _, number = fields.get("n", "").partition(":")
        self.number = number
        client = _decoded(fields.get("r", ""))
        if (self.header not in ("n", "y") and not self.header.startswith("p=")) or not self.name or len(client) != _NONCE:
            raise BadMessage
        self._nonce = base64.b64encode(client + secrets.token_bytes(_NONCE)).decode()
        self._first = ""

    def answer(self, key: str) -> str:
        """The server's first message; `key` without its number."""
        salt, _ = _salted(key)
        self._first = f"r={self._nonce},s={base64.b64encode(salt).decode()},i={ITERATIONS}"
        return self._first

    def proven(self, final: str, key: str, binding: bytes) -> str | None:
        """The server's last message, None where the client does not have the key or is bound to another channel.

        `binding`: what this server's certificate comes to, empty without TLS.
        """
        plain, mark, proof = final.rpartition(",p=")
        fields = _fields(plain)
        bound = self.header == BOUND and bool(binding)
        wanted = f"{self.header},,".encode() + (binding if bound else b"")
        fits = self.header == "n" or bound  # "y": the client believes that we cannot bind, and we can
        if not mark or not fits or fields.get("r") != self._nonce or _decoded(fields.get("c", "")) != wanted:
            return None
        _, salted = _salted(key)
        said = ",".join((self._bare, self._first, plain)).encode()
        client_key = hmac.digest(salted, b"Client Key", "sha512")
        signature = hmac.digest(hashlib.sha512(client_key).digest(), said, "sha512")
        expected = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        if not hmac.compare_digest(expected, _decoded(proof)):
            return None
        server_key = hmac.digest(salted, b"Server Key", "sha512")
        return f"v={base64.b64encode(hmac.digest(server_key, said, 'sha512')).decode()}"


def _fields(message: str) -> dict[str, str]:
    return {key: value for key, mark, value in (part.partition("=") for part in message.split(",")) if mark}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
