"""Which of the variables that open a store are no secrets: they say who asks and where. Knows no value."""

from __future__ import annotations

_ENDINGS = ("KEY_ID", "ACCOUNT_ID", "ACCOUNT_NAME", "PROJECT_ID", "REGION", "REGION_NAME", "ENDPOINT", "ENDPOINT_URL")


def is_open(name: str) -> bool:
    """Whether this variable, or key of a Secret, holds a key's id, a region or the like: a value that stands in logs and in Git.

    Made a secret it would blot out its word wherever that stands: a region `garage`, a key id `volsync`.
    """
    plain = name.upper().replace("-", "_").replace(".", "_")
    return any(plain == ending or plain.endswith(f"_{ending}") for ending in _ENDINGS)
