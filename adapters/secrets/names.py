"""Which names are a secret's, and which of those that open a store are none: they say who asks and where."""

from __future__ import annotations

import re

_ENDINGS = ("KEY_ID", "ACCOUNT_ID", "ACCOUNT_NAME", "PROJECT_ID", "REGION", "REGION_NAME", "ENDPOINT", "ENDPOINT_URL")


def is_open(name: str) -> bool:
    """Whether this variable, or key of a Secret, holds a key's id, a region or the like: a value that stands in logs and in Git.

    Made a secret it would blot out its word wherever that stands: a region `garage`, a key id `volsync`.
    """
    plain = name.upper().replace("-", "_").replace(".", "_")
    return any(plain == ending or plain.endswith(f"_{ending}") for ending in _ENDINGS)


_OF_SECRETS = frozenset({
    "pass", "passwd", "password", "passphrase", "secret", "secrets", "token", "key", "keys", "keyring", "credential", "credentials",
    "secretkey", "accesskey", "apikey", "privatekey",
})  # fmt: skip
_OF_THINGS = frozenset({"id", "name", "namespace", "ref", "region", "endpoint", "kmsid"})
"""A name that ends so says which secret or key it is, not what it is."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WITHIN = re.compile(r"(?:^|[\s,;&?-])([A-Za-z][A-Za-z_-]*)=")


def is_shut(name: str) -> bool:
    """Whether what has this name is a secret as far as the name tells: `s3-secret-access-key`, `adminPassword`."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    return not _OF_SECRETS.isdisjoint(parts) and parts[-1] not in _OF_THINGS


def holds_shut(text: str) -> bool:
    """Whether an option in the text has such a name, as in `vers=3.0,password=…`."""
    return any(is_shut(name) for name in _WITHIN.findall(text))
