"""A repository on an SFTP server, listed with paramiko. The server's key must be known: none is ever learnt here."""

from __future__ import annotations

import logging
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path

import paramiko

from adapters.backups.places import FOLDERS, Contents, PlaceRefused, PlaceUnreachable, SftpAddress

_TIMEOUT_S = 20.0
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


@dataclass(frozen=True)
class SftpPlace:
    """A folder on the server."""

    address: SftpAddress
    trust: SshTrust

    def contents(self) -> Contents:
        """See Place.contents."""
        client = paramiko.SSHClient()
        try:
            if self.trust.known_hosts.exists():
                client.load_host_keys(str(self.trust.known_hosts))
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                self.address.host,
                self.address.port,
                self.address.user or None,
                key_filename=str(self.trust.identity) if self.trust.identity else None,
                allow_agent=self.trust.identity is None,
                look_for_keys=self.trust.identity is None,
                timeout=_TIMEOUT_S,
                banner_timeout=_TIMEOUT_S,
                auth_timeout=_TIMEOUT_S,
                channel_timeout=_TIMEOUT_S,
            )
            with client.open_sftp() as sftp:
                return _listed(sftp, self.address.path)
        except paramiko.BadHostKeyException as error:
            raise PlaceRefused(f"{self.address.host} shows another key than the one pinned in {self.trust.known_hosts}") from error
        except (paramiko.AuthenticationException, PermissionError) as error:
            raise PlaceRefused(f"{self.address.host}: {error}") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            # NoValidConnectionsError has no errno, and says so: "[Errno None] Unable to connect …".
            raise PlaceUnreachable(f"{self.address.host}: {str(error).removeprefix('[Errno None] ')}") from error
        finally:
            client.close()


def _listed(sftp: paramiko.SFTPClient, path: str) -> Contents:
    try:
        top = {entry.filename: entry for entry in sftp.listdir_attr(path)}
    except FileNotFoundError as error:
        parent = posixpath.dirname(path.rstrip("/")) or "/"
        try:
            sftp.listdir(parent)
        except FileNotFoundError:
            raise PlaceUnreachable(f"the folder {parent} does not exist there: is its disk mounted?") from error
        return Contents(detail=f"{parent} was listed, {posixpath.basename(path)} is not in it")
    files = {name: _files(sftp, posixpath.join(path, name)) if name in top else [] for name in FOLDERS}
    known = {"config", "data", *FOLDERS}
    return Contents(
        config_size=top["config"].st_size if "config" in top else None,
        keys=len(files["keys"]),
        snapshots=len(files["snapshots"]),
        indexes=len(files["index"]),
        packs="data" in top and _packs(sftp, posixpath.join(path, "data")),
        locks=tuple(float(entry.st_mtime or 0) for entry in files["locks"]),
        others=tuple(sorted(top.keys() - known)),
        detail="" if top else "the folder is there and empty",
    )


def _packs(sftp: paramiko.SFTPClient, data: str) -> bool:
    """Whether any pack is in the folders of `data`: the first one found ends the search, and a good repository has one soon."""
    return any(_files(sftp, posixpath.join(data, folder)) for folder in sftp.listdir(data))


def _files(sftp: paramiko.SFTPClient, path: str) -> list[paramiko.SFTPAttributes]:
    return [entry for entry in sftp.listdir_attr(path) if stat.S_ISREG(entry.st_mode or 0)]
