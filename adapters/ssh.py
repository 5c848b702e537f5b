"""A connection by SSH to a server whose key is known already: none is ever learnt here. Knows nothing of what it is for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

TIMEOUT_S = 20.0
# Its threads print the traceback of what is raised here as well: an answer of ours is one line, not forty.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


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


@contextmanager
def logged_in(host: str, port: int, user: str, trust: SshTrust, timeout_s: float = TIMEOUT_S) -> Iterator[paramiko.SSHClient]:
    """A client that is logged in, closed at the end ("" as user: this one's own name). Raises what paramiko raises."""
    client = paramiko.SSHClient()
    try:
        if trust.known_hosts.exists():
            client.load_host_keys(str(trust.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            host, port, user or None,
            key_filename=str(trust.identity) if trust.identity else None,
            allow_agent=trust.identity is None,
            look_for_keys=trust.identity is None,
            timeout=timeout_s, banner_timeout=timeout_s, auth_timeout=timeout_s, channel_timeout=timeout_s,
        )  # fmt: skip
        yield client
    finally:
        client.close()
