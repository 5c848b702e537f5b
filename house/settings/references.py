"""References to secrets: where one is, never the secret itself. Knows no source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SecretRef:
    """Where a secret is: each source as `env:NAME`, `file:PATH`, `sops:PATH#key.path` or `op://vault/item/field`.

    Sources are tried in order; the value is resolved late, by adapters/secrets, and never kept here.
    """

    sources: tuple[str, ...]
