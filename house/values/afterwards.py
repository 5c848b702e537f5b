"""What the settings say of evidence, kit, messages and etcd's snapshots: who signs, how often is proven, who can open, who is told.

Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from house.settings.references import SecretRef

PROVE_EVERY = 31 * 86400.0
"""How old, in seconds, a proof may be where the settings do not say."""


@dataclass(frozen=True)
class Evidence:
    """`key` signs it (None: one of our own in the state folder); `prove_every`: how old a proof may be, in seconds (0.0: any)."""

    key: Path | None = None
    prove_every: float = PROVE_EVERY


@dataclass(frozen=True)
class Kit:
    """`recipients` are names and public keys of who can open it, `notes` what its page tells them first; `certificates`: the TLS
    Secrets of cert-manager are kept with it, and put back into a new cluster."""

    recipients: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    certificates: bool = False


@dataclass(frozen=True)
class Messages:
    """`to` are references to Apprise's URLs of who is told how a rehearsal came out; `when`, with which verdicts."""

    to: tuple[SecretRef, ...] = ()
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class EtcdSnapshots:
    """`recipients` are names and public keys of who can open a snapshot besides the house's own key (none: it is not sealed),
    `keep` how many stay."""

    recipients: tuple[tuple[str, str], ...] = ()
    keep: int = 30


NO_EVIDENCE, NO_KIT, NO_MESSAGES, NO_ETCD = Evidence(), Kit(), Messages(), EtcdSnapshots()
"""Where the settings say nothing."""
