"""Registers every secret of a Talos or Kubernetes configuration, so that none can slip into text. Knows no file."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from engine.secrets import Secret

# Keys whose values are secret, in machineconfigs, secrets bundles, talosconfigs and kubeconfigs.
_SECRET_KEYS = frozenset(
    {
        "key",
        "token",
        "secret",
        "bootstraptoken",
        "secretboxEncryptionSecret",
        "secretboxencryptionsecret",
        "aescbcEncryptionSecret",
        "aescbcencryptionsecret",
        "client-key-data",
    }
)


# A toleration has a `key` too: only what is as long as a private key is one.
_SHORTEST_KEY = 60


def register_secrets(value: Any) -> None:
    """Make a Secret of every secret text in plain YAML values, for the sake of redaction alone."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(inner, str):
                register_secrets(inner)
            elif key in _SECRET_KEYS and (key != "key" or len(inner) >= _SHORTEST_KEY):
                _register(inner)
    elif isinstance(value, list):
        for inner in value:
            register_secrets(inner)


def _register(text: str) -> None:
    Secret(text)
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    if decoded.startswith("-----BEGIN"):
        Secret(decoded)
