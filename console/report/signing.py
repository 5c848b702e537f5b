"""Signatures as OpenSSH makes them (`ssh-keygen -Y`), by an ed25519 key: anybody can check one without this tool.

The form is that of OpenSSH's PROTOCOL.sshsig. Knows no evidence.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import PermanentError, SettingsInvalid
from engine.files.content import content_of
from engine.files.whole import write_new

NAMESPACE = "blackstart-evidence"
KEY_FILE = "evidence.key"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KIND = b"ssh-ed25519"
_WIDTH = 70


@dataclass(frozen=True)
class Signer:
    """Who signed: the public half as a line of `authorized_keys` has it, and its fingerprint as ssh-keygen shows it."""

    key: str
    fingerprint: str


class NotSigned(Exception):
    """The signature is none, or not one of these bytes; carries a sentence."""


def own_key(folder: Path) -> Ed25519PrivateKey:
    """The key in the state folder, made the first time. PermanentError when it cannot be read or made."""
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return key_of(path)
    except OSError as error:
        raise PermanentError(f"the key that signs evidence cannot be had: {path}: {error.strerror}") from error


def key_of(path: Path) -> Ed25519PrivateKey:
    """The key in an OpenSSH file. SettingsInvalid for what is no ed25519 key without a passphrase; OSError."""
    better = f"ssh-keygen -t ed25519 -N '' -f {path}"
    try:
        key = serialization.load_ssh_private_key(content_of(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsInvalid(f"{path} is no SSH key that can be used without a passphrase; right would be: {better}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsInvalid(f"{path} is a key of another kind; right would be one of ed25519: {better}")
    return key


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with suppress(FileExistsError):  # another process was faster: its key counts
        write_new(path, text)


def signer_of(key: Ed25519PublicKey) -> Signer:
    """The public half for people."""
    blob = _public(key)
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return Signer(f"ssh-ed25519 {base64.b64encode(blob).decode()}", f"SHA256:{digest}")


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The signature of these bytes, as text."""
    signature = _text(_KIND) + _text(key.sign(_signed(message)))
    return _armoured(_blob(_public(key.public_key()), signature))


def verify(text: str, message: bytes) -> Signer:
    """Who signed these bytes. Raises NotSigned; a signature that is written in any other way than ours is none."""
    blob = _bare(text)
    public, signature = _parts(blob)
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, _signed(message))
    except (ValueError, InvalidSignature) as error:
        raise NotSigned("the signature does not fit") from error
    return signer_of(key)


def _signed(message: bytes) -> bytes:
    return b"SSHSIG" + _text(NAMESPACE.encode()) + _text(b"") + _text(b"sha512") + _text(hashlib.sha512(message).digest())


def _blob(public: bytes, signature: bytes) -> bytes:
    head = b"SSHSIG" + struct.pack(">I", 1) + _text(public)
    return head + _text(NAMESPACE.encode()) + _text(b"") + _text(b"sha512") + _text(signature)


def _public(key: Ed25519PublicKey) -> bytes:
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _text(_KIND) + _text(raw)


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _armoured(blob: bytes) -> str:
    encoded = base64.b64encode(blob).decode()
    lines = [encoded[at : at + _WIDTH] for at in range(0, len(encoded), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def _bare(text: str) -> bytes:
    lines = text.split("\n")
    try:
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotSigned("the signature cannot be read") from error
    if _armoured(blob) != text:
        raise NotSigned("the signature is not written as it was made")
    return blob


def _parts(blob: bytes) -> tuple[bytes, bytes]:
    """The raw public key and the raw signature in a blob; everything else in it must be as we write it."""
    public, signature = blob[33:65], blob[-64:]
    whole = _blob(_text(_KIND) + _text(public), _text(_KIND) + _text(signature))
    if whole != blob:
        raise NotSigned("the signature is of another kind than this tool makes")
    return public, signature
