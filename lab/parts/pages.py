"""How a program of this machine is asked by HTTP, as cheaply as it can be, for it is asked again and again. Knows no program."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


class PageGone(Exception):
    """Nobody answered, or not in HTTP."""


@dataclass(frozen=True)
class Page:
    """An answer: its HTTP code and its text."""

    status: int
    text: str


def page(url: str, timeout_s: float = 2.0) -> Page:
    """What the page answers. PageGone when it does not."""
    parts = urlsplit(url)
    # The standard library's client: such looks are many, and one of httpx costs ten times as much.
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return Page(answer.status, answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        raise PageGone(f"{url}: {error}") from error
    finally:
        connection.close()


class KeptConnection:
    """One program's HTTPS door, by a connection that is kept: a handshake costs both sides ten times what an answer does.

    `context` is asked for each new connection. Each thread that asks meanwhile has a connection of its own.
    """

    def __init__(self, address: str, port: int, context: Callable[[], ssl.SSLContext], timeout_s: float = 10.0) -> None:
        self._address, self._port = address, port
        self._context, self._timeout_s = context, timeout_s
        self._idle: deque[http.client.HTTPSConnection] = deque()

    def post(self, path: str, body: str) -> Page:
        """What it answers to this JSON. PageGone when it does not; nothing is asked twice."""
        try:
            connection = self._connection()
        except OSError as error:
            raise PageGone(f"{self._address}{path}: {error}") from error
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = Page(answer.status, answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise PageGone(f"{self._address}{path}: {error}") from error
        self._idle.append(connection)
        return told

    def close(self) -> None:
        """End what is kept; who asks again opens it anew."""
        while (connection := self._taken()) is not None:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        while (kept := self._taken()) is not None:
            # An idle one has something to be read only when its other end is gone: the program has ended, or was started anew.
            if kept.sock is not None and not _readable(kept.sock):
                return kept
            kept.close()
        return http.client.HTTPSConnection(self._address, self._port, timeout=self._timeout_s, context=self._context())

    def _taken(self) -> http.client.HTTPSConnection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None


def _readable(connection: socket.socket) -> bool:
    # No select.select: it knows no number above 1023.
    looked = select.poll()
    looked.register(connection, select.POLLIN)
    return bool(looked.poll(0))


def listens(address: str, port: int) -> bool:
    """Whether anybody takes connections there: asked before a look that costs a TLS handshake."""
    with socket.socket() as trial:
        trial.settimeout(1.0)
        return trial.connect_ex((address, port)) == 0
