"""The keys of an SSH server of the lab and of the one user that it lets in, as files. Made once, kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


@dataclass(frozen=True)
class SshKeys:
    """Below `folder`: `host` and `user` (private keys, 0600), `authorized`, and `known_hosts` for whoever comes."""

    folder: Path

    @property
    def host(self) -> paramiko.PKey:
        """The server's own."""
        return _made(self.folder / "host")

    @property
    def user(self) -> paramiko.PKey:
        """The one that is let in."""
        return _made(self.folder / "user")

    @property
    def known_hosts(self) -> Path:
        """The server as clients know it, once `written`."""
        return self.folder / "known_hosts"

    def written(self, address: str, port: int) -> SshKeys:
        """The same, with both files that name keys written for this address."""
        host, user = self.host, self.user
        self.known_hosts.write_text(f"[{address}]:{port} {host.get_name()} {host.get_base64()}\n")
        authorized = self.folder / "authorized"
        authorized.write_text(f"{user.get_name()} {user.get_base64()}\n")
        authorized.chmod(0o600)
        return self


def _made(path: Path) -> paramiko.PKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
        path.touch(0o600)
        path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(encoding, form, serialization.NoEncryption()))
    return paramiko.Ed25519Key.from_private_key_file(str(path))
