"""A read-only SFTP server on paramiko, for machines without an sshd. Lets one key in; what lies below /mnt can be read."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_PERMISSION_DENIED

from lab.wire.sftp.keys import SshKeys

_LOOKS_S = 0.2


@dataclass(frozen=True)
class StandIn:
    """See Sshd."""

    keys: SshKeys
    told = "a stand-in on paramiko: this machine has no sshd that could serve here"

    def serve(self, connection: socket.socket, tree: Path) -> None:
        """See Sshd.serve."""
        transport = paramiko.Transport(connection)
        transport.add_server_key(self.keys.host)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, type("Files", (Files,), {"tree": tree}))
        try:
            transport.start_server(server=Gate(self.keys.user))
            while transport.is_active():
                transport.join(_LOOKS_S)
        except (paramiko.SSHException, EOFError, OSError):  # a client that turned away
            return
        finally:
            transport.close()
            transport.join(10)


class Gate(paramiko.ServerInterface):
    """Lets one key in, whoever shows it."""

    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """See paramiko."""
        return AUTH_SUCCESSFUL if key == self._key else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        """See paramiko."""
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """See paramiko."""
        return OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    """An open file that can be asked how long it is."""

    def stat(self) -> paramiko.SFTPAttributes | int:
        """See paramiko."""
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))  # type: ignore[attr-defined]  # see open


class Files(paramiko.SFTPServerInterface):
    """The tree at /mnt, and nothing else."""

    tree = Path("/nowhere")

    def _path(self, path: str) -> Path:
        try:
            return self.tree / PurePosixPath(path).relative_to("/mnt")
        except ValueError:
            return Path("/nowhere")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        """See paramiko."""
        try:
            entries = sorted(self._path(path).iterdir())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return [paramiko.SFTPAttributes.from_stat(entry.lstat(), entry.name) for entry in entries]

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        """See paramiko."""
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
        """See paramiko."""
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).lstat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        """See paramiko."""
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return SFTP_PERMISSION_DENIED
        try:
            file = self._path(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = _Handle(flags)
        handle.readfile = file  # type: ignore[attr-defined]  # paramiko's documented way, not in its types
        return handle
