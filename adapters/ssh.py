"""A connection by SSH to a server whose key is known already: none is ever learnt here. Knows nothing of what it is for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from adapters.trust import SshTrust

TIMEOUT_S = 20.0
BROKEN = (paramiko.SSHException, paramiko.SFTPError, OSError, EOFError)
"""What paramiko raises of a server, or a way to it, that is not as it should be; a greeting of its shell is an SFTPError."""
# Its threads print the traceback of what is raised here as well: an answer of ours is one line, not forty.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


class KeyRevoked(paramiko.SSHException):
    """The server shows a key that known_hosts marks as revoked."""


class _Rejected(paramiko.RejectPolicy):
    """None is ever learnt; of a key that is revoked it is said."""

    def __init__(self, file: Path, revoked: frozenset[str]) -> None:
        self._file, self._revoked = file, revoked

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        """See paramiko."""
        if key.get_base64() in self._revoked:
            raise KeyRevoked(f"the SSH key of {hostname} is revoked in {self._file}")
        super().missing_host_key(client, hostname, key)


@contextmanager
def logged_in(host: str, port: int, user: str, trust: SshTrust, timeout_s: float = TIMEOUT_S) -> Iterator[paramiko.SSHClient]:
    """A client that is logged in, closed at the end ("" as user: this one's own name). Raises what paramiko raises."""
    client = paramiko.SSHClient()
    try:
        _pin(client, trust.known_hosts)
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


def opened_sftp(client: paramiko.SSHClient, silent_s: float) -> paramiko.SFTPClient:
    """As paramiko's own open_sftp, which waits for each answer without an end. Raises TimeoutError, and so does whatever reads."""
    transport = client.get_transport()
    if transport is None:
        raise paramiko.SSHException("the connection ended")
    channel = transport.open_session(timeout=silent_s)
    with in_time(channel, silent_s):
        channel.invoke_subsystem("sftp")
    channel.settimeout(silent_s)
    return paramiko.SFTPClient(channel)


@contextmanager
def in_time(channel: paramiko.Channel, seconds: float) -> Iterator[None]:
    """Around a request on a channel, for whose answer paramiko waits without an end: it is closed when the time is up.

    Raises TimeoutError then.
    """
    over = threading.Event()

    def close() -> None:
        over.set()
        with suppress(EOFError, OSError, paramiko.SSHException):  # whoever waited has gone, and its connection with it
            channel.close()

    late = threading.Timer(seconds, close)
    late.start()
    try:
        yield
    except paramiko.SSHException as error:
        if over.is_set():
            raise TimeoutError(f"no answer within {seconds:g} s") from error
        raise
    finally:
        late.cancel()


def _pin(client: paramiko.SSHClient, file: Path) -> None:
    """Let it know the servers of this file, and no others. A line that cannot be read is passed over, as ssh does; paramiko's own
    reader fails at one, and takes those with a marker for such. A revoked key is known of no server."""
    lines = [line.split() for line in file.read_text(errors="replace").splitlines()] if file.exists() else []
    revoked = frozenset(words[3] for words in lines if len(words) > 3 and words[0] == "@revoked")
    client.set_missing_host_key_policy(_Rejected(file, revoked))
    known = client.get_host_keys()
    for words in lines:
        if len(words) < 3 or words[0][0] in "#@" or words[2] in revoked:
            continue
        try:
            entry = HostKeyEntry.from_line(" ".join(words))
        except (paramiko.SSHException, InvalidHostKey, ValueError):
            continue
        for name in entry.hostnames or () if entry is not None else ():
            if entry is not None and entry.key is not None:
                known.add(name, entry.key.get_name(), entry.key)
