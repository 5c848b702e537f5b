"""TrueNAS asked by its own command `midclt call`, over SSH: for a NAS whose API cannot be had from here.

It prints text and numbers as they are, True and False as Python does, all else as JSON; a login that failed prints so and exits 0.
"""

from __future__ import annotations

import errno
import json
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import paramiko

from adapters.nas.results import Trouble
from adapters.nas.session import Answer, Bounds, Call
from adapters.nas.versions import Release
from adapters.nas.wording import ENOMETHOD, METHOD_CALL, NO_METHOD, RpcError, Stopped, stopped
from adapters.ssh import KeyRevoked, in_time, logged_in
from adapters.trust import SshTrust
from engine.text.jsontext import Malformed, read
from house.values.nas import Nas

_NAMED = re.compile(r"\[(E[A-Z]+)\]")
_LITERAL = {"True": True, "False": False}
_NO_SUCH = 127
_ERRORS = 64 * 1024
_AGAIN_S = 0.01
_WARNED = "sudo: unable to resolve host"  # and goes on
_ELSEWHERE = 'PATH="$PATH:/usr/bin:/usr/local/bin"'  # some login shells lack them


class MidcltSession:
    """A login by SSH, and one command for each question. Every method may raise Stopped."""

    path = "midclt over SSH"
    release: Release | None = None
    expires: float | None = None

    def __init__(self, client: paramiko.SSHClient, user: str, bounds: Bounds) -> None:
        self._client, self._bounds = client, bounds
        self._before = [] if user == "root" else ["sudo", "-n"]
        self._until = time.monotonic() + bounds.look_s

    @property
    def left_s(self) -> float:
        """See session.Asking."""
        return max(0.0, self._until - time.monotonic())

    async def ask(self, calls: Sequence[Call]) -> list[Answer]:
        """See session.Asking. One after another: a server takes ten sessions of one connection."""
        return [self._one(call) for call in calls]

    def _one(self, call: Call) -> Answer:
        words = [*self._before, "midclt", "call", call.method, *(json.dumps(one) for one in call.params)]
        code, out, said = self._run(f"{_ELSEWHERE} {shlex.join(words)}", call.method)
        first = _first(said)
        if code == _NO_SUCH or (code and first.startswith("sudo:")):
            first = first or "no such command"
            hint = "log in as root, or let sudo run it without a password"
            raise stopped(Trouble.OTHER, f"midclt cannot be run there: {first}", hint)
        if code:
            return _error(first)
        if out.strip() == "Failed to login":
            raise stopped(Trouble.DENIED, "midclt says that it failed to log in", "the user needs a privilege, or sudo for midclt")
        return _value(out)

    def _run(self, command: str, method: str) -> tuple[int, str, str]:
        """Its exit code, what it wrote and what it complained of."""
        transport = self._client.get_transport()
        if transport is None:
            raise stopped(Trouble.DROPPED, f"the connection ended before {method} was asked")
        with transport.open_session(timeout=max(0.1, self.left_s)) as channel:
            try:
                with in_time(channel, self.left_s):
                    channel.exec_command(command)
            except TimeoutError:
                raise self._slow(method) from None
            channel.shutdown_write()  # it is given nothing to read
            out, said = bytearray(), bytearray()
            while not _ended(channel):
                self._read(channel, out, said, method)
                time.sleep(_AGAIN_S)
            self._read(channel, out, said, method)
            code, whole = channel.recv_exit_status(), channel.eof_received
        if code < 0 or not whole:
            raise stopped(Trouble.DROPPED, f"the connection ended without a word while waiting for {method}")
        return code, out.decode(errors="replace"), said.decode(errors="replace")

    def _slow(self, method: str) -> Stopped:
        return stopped(Trouble.SLOW, f"{method}: no answer within {self._bounds.look_s:.0f} s")

    def _read(self, channel: paramiko.Channel, out: bytearray, said: bytearray, method: str) -> None:
        """What has come by now."""
        if self.left_s <= 0:
            raise self._slow(method)
        while channel.recv_ready():
            out += channel.recv(1 << 16)
            if len(out) > self._bounds.answer:
                raise stopped(Trouble.TOO_MUCH, f"{method}: an answer of more than {self._bounds.answer // 2**20} MiB")
        while channel.recv_stderr_ready():
            said += channel.recv_stderr(1 << 16)[: max(0, _ERRORS - len(said))]


@contextmanager
def opened_by_ssh(nas: Nas, trust: SshTrust, bounds: Bounds) -> Iterator[MidcltSession]:
    """A session, closed at the end. Raises Stopped when there is none to be had."""
    host, port, user = nas.ssh_host, nas.ssh_port, nas.ssh_user
    where = f"ssh {user}@{host} -p {port}"
    try:
        with logged_in(host, port, user, trust, bounds.connect_s) as client:
            yield MidcltSession(client, user, bounds)
    except paramiko.BadHostKeyException:
        told = f"{host} shows another SSH key than the one in {trust.known_hosts}"
        raise stopped(Trouble.CERTIFICATE, told, f"compare it on the NAS itself: ssh-keyscan -p {port} {host}") from None
    except KeyRevoked as error:
        raise stopped(Trouble.CERTIFICATE, str(error), "whoever marked it so knows why; the NAS needs a new host key") from None
    except paramiko.AuthenticationException as error:
        raise stopped(Trouble.KEY, f"{where}: {error}", f"{where} must let this machine in without a question") from None
    except (TimeoutError, EOFError, paramiko.SSHException, OSError) as error:
        told = str(error).removeprefix("[Errno None] ") or type(error).__name__
        if "not found in known_hosts" in told:
            hint = f"compare its key on the NAS itself, then: ssh-keyscan -p {port} {host} >> {trust.known_hosts}"
            raise stopped(Trouble.CERTIFICATE, f"the SSH key of {host} is not known here", hint) from None
        raise stopped(Trouble.UNREACHABLE, f"{where}: {told}", f"is it on, and its SSH service? nc -vz {host} {port}") from None


def _value(out: str) -> Any:
    """What was printed, as a value: text where it is nothing else."""
    text = out.strip()
    if text in _LITERAL:
        return _LITERAL[text]
    try:
        return read(text)
    except Malformed:
        return text


def _ended(channel: paramiko.Channel) -> bool:
    """Whether all is here: an exit code may come before the last of what was printed."""
    return channel.closed or bool(channel.eof_received and channel.exit_status_ready())


def _first(said: str) -> str:
    """The first line of what it complained of, but for what sudo merely warns of."""
    lines = (line for line in said.strip().splitlines() if not line.startswith(_WARNED))
    return next(lines, "")[:200]


def _error(first: str) -> RpcError:
    """What it complained of, as the API's error would be."""
    first = first or "midclt failed without a word"
    found = _NAMED.search(first)
    if "Method does not exist" in first or "ENOMETHOD" in first:
        return RpcError(NO_METHOD, ENOMETHOD, "ENOMETHOD", first)
    name = found[1] if found is not None else ""
    return RpcError(METHOD_CALL, getattr(errno, name, 0), name, first)
