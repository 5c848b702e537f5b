"""An SFTP server of the lab: who comes sees a folder of ours as /mnt. Knows neither what lies there nor who serves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from lab.wire.sftp.keys import SshKeys
from lab.wire.sftp.sshd import real_sshd
from lab.wire.sftp.standin import StandIn

_ENDS_S = 10.0


class Server(Protocol):
    """Who serves connections."""

    @property
    def told(self) -> str: ...
    def serve(self, connection: socket.socket, tree: Path) -> None: ...


class SftpDoor:
    """Listens from `start` to `close`. `tree` is asked at each connection for what is to be seen then; None: it is turned away."""

    def __init__(
        self, keys: SshKeys, tree: Callable[[], Path | None], *, address: str = "127.0.0.1", port: int = 0,
        server: Server | None = None,
    ) -> None:  # fmt: skip
        """`server` None: the real sshd where it can serve here, else the stand-in."""
        self._tree = tree
        self._listener = socket.create_server((address, port))
        self.address, self.port = address, int(self._listener.getsockname()[1])
        self.keys = keys.written(address, self.port)
        self.server: Server = server or real_sshd(self.keys) or StandIn(self.keys)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> SftpDoor:
        """Take connections from now on."""
        self._begin(self._listen)
        return self

    def close(self) -> None:
        """Turn everybody away; returns when nobody serves any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in tuple(self._threads):
            thread.join(_ENDS_S)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="sftp", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._guard:
                self._open.add(connection)
            self._begin(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        try:
            tree = self._tree()
            if tree is not None:
                self.server.serve(connection, tree)
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()
