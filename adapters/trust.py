"""Which SSH servers are known, and the key to show them. Connects to none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SshTrust:
    """Which servers are known (`known_hosts`), and the private key to show them; None for the user's own keys or agent."""

    known_hosts: Path
    identity: Path | None = None

    @property
    def options(self) -> str:
        """What restic hands to ssh: never ask, and only servers whose key is pinned."""
        words = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.known_hosts}", "ConnectTimeout=20"]
        chosen = f" -o IdentitiesOnly=yes -i {self.identity}" if self.identity else ""
        return " ".join(f"-o {word}" for word in words) + chosen
