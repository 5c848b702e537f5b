"""A box's SSH server, on paramiko, in which `midclt call` is the one command. Lets one key in.

Prints as the server's own client does: text, numbers and True or False as they are, all else as JSON; errors on the other stream.
"""

from __future__ import annotations

import json
import shlex
import socket
import threading
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from engine.text import jsontext
from lab.wire.truenas.calls import Connection, Failed
from lab.wire.truenas.jobs import Jobs
from lab.wire.truenas.limits import Logins
from lab.world.nas import FULL, LabNas, LabUser

_WAIT_S = 10.0
_LATER_S = 0.03


class TrueNasShell:
    """The server, from `start` to `close`. `midclt` is False where the shell finds no such command; `locked_out`: its login
    fails; `deaf`: it never says whether it runs what it is given; `code_first`: its exit code comes before what it prints, as
    OpenSSH's may, and `cut` ends the connection just then; `warns` is a line that stands before whatever it complains of."""

    def __init__(self, nas: LabNas, host_key: paramiko.PKey, user_key: paramiko.PKey, now: Callable[[], float]) -> None:
        self.nas, self.user_key = nas, user_key
        self.midclt, self.locked_out = True, False
        self.deaf, self.code_first, self.cut, self.warns = False, False, False, ""
        self.closing = threading.Event()
        self._host_key, self._now = host_key, now
        self._jobs = Jobs(nas, now)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked: list[str] = []

    def start(self) -> TrueNasShell:
        """Serve from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End every connection; a second time it is nothing."""
        if self._listener.fileno() < 0:
            return
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_WAIT_S)
        for transport in self._transports:
            transport.close()
            transport.join(_WAIT_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self._transports.append(transport)
            transport.add_server_key(self._host_key)
            try:
                transport.start_server(server=_Gate(self))
            except (paramiko.SSHException, EOFError, OSError):  # a client that turned away: the next one is served
                transport.close()

    def run(self, channel: paramiko.Channel, words: list[str]) -> None:
        """One command to its end, in a thread of its own; not before the client has heard that it runs, and has no input for it."""
        while channel.recv(1024):
            pass
        if not self.midclt or "midclt" not in words:
            self._end(channel, 127, "", "sh: 1: midclt: not found\n")
            return
        method, *given = words[words.index("midclt") + 2 :]
        self.asked.append(method)
        if self.nas.weather.drop == method:
            channel.get_transport().close()
        elif self.nas.weather.hang == method:
            channel.event.wait(_WAIT_S)
        elif self.locked_out:
            self._end(channel, 0, "Failed to login\n", "")
        else:
            self._answer(channel, method, [jsontext.read(one) for one in given])

    def _answer(self, channel: paramiko.Channel, method: str, params: list[Any]) -> None:
        box = self.nas
        caller = Connection(box, box.release, self._jobs, Logins(), "local", self._now, True, lambda _: None)
        caller.user = LabUser("root", "", frozenset({FULL}))
        try:
            found = caller.call(method, params, 1)
        except Failed as no:
            data: Any = no.error.get("data") or {}
            self._end(channel, 1, "", f"{data.get('reason') or no.error['message']}\nTraceback (most recent call last):\n  …\n")
            return
        plain = isinstance(found, (str, int)) and found is not None
        self._end(channel, 0, f"{found if plain else json.dumps(found)}\n", "")

    def _end(self, channel: paramiko.Channel, code: int, out: str, said: str) -> None:
        try:
            if self.code_first:
                channel.send_exit_status(code)
                self.closing.wait(_LATER_S)
            if self.cut:
                channel.get_transport().close()
            channel.sendall(out.encode())
            channel.sendall_stderr((self.warns + said).encode())
            if not self.code_first:
                channel.send_exit_status(code)
            channel.close()
        except (OSError, EOFError, paramiko.SSHException):
            return  # whoever asked has gone


class _Gate(paramiko.ServerInterface):
    def __init__(self, shell: TrueNasShell) -> None:
        self._shell = shell

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key == self._shell.user_key else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        words = shlex.split(command.decode())
        if self._shell.deaf:
            self._shell.closing.wait(_WAIT_S)
            return False
        threading.Thread(target=self._shell.run, args=(channel, words), daemon=True).start()
        return True
