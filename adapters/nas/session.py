"""One connection to one NAS: finds the path, says who we are, asks, and takes answers in any order. Knows no method but the login.

One deadline for all of it. Nothing is sent before the certificate was compared; nothing is ever tried without TLS, and no redirect
is followed: a key that the NAS gets without TLS is revoked by it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from adapters.nas.certificate import PinnedContext, compared, context_of, ends, not_trusted
from adapters.nas.results import Trouble
from adapters.nas.versions import Release, chosen
from adapters.nas.wording import RpcError, Stopped, error_of, login_refused, of_login, stopped
from engine.secrets import Secret
from engine.text.jsontext import Malformed, a_list, an_object, read
from engine.text.words import number
from house.values.nas import Nas

# At its debug level websockets logs whole frames, the login's among them.
_LOG = logging.getLogger("adapters.nas.websockets")
_LOG.disabled = True
_LISTED = 64 * 1024
_AT_ONCE = 8  # of 20 that the server takes: 10 run, 10 wait
_PING_S = 20.0  # the nginx before it cuts what was silent for 60 s
_SHUT_OUT, _TOO_BIG = 1008, 1009


@dataclass(frozen=True)
class Bounds:
    """Seconds for connecting, for a whole look and for one job in it; bytes of the largest answer that is taken."""

    connect_s: float = 5.0
    look_s: float = 40.0
    job_s: float = 8.0
    answer: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Call:
    """One question."""

    method: str
    params: tuple[Any, ...] = ()


Answer = RpcError | Any


class Asking(Protocol):
    """Who can be asked, logged in: what it listens at, its release (None: its version says), and when its certificate ends."""

    @property
    def path(self) -> str: ...
    @property
    def release(self) -> Release | None: ...
    @property
    def expires(self) -> float | None: ...
    @property
    def left_s(self) -> float:
        """Seconds until the whole look has taken too long."""

    async def ask(self, calls: Sequence[Call]) -> list[Answer]:
        """The results in the order of the calls, an RpcError for those that failed. Raises Stopped."""


class Session:
    """A connection that is logged in, between `opened` and its end. Every method may raise Stopped."""

    def __init__(self, socket_: ClientConnection, asked: tuple[str, Release | None], expires: float | None, bounds: Bounds) -> None:
        self._socket, self._bounds = socket_, bounds
        (self.path, self.release), self.expires = asked, expires
        self._until = time.monotonic() + bounds.look_s
        self._next = 0

    @property
    def left_s(self) -> float:
        """Seconds until the whole look has taken too long."""
        return max(0.0, self._until - time.monotonic())

    async def ask(self, calls: Sequence[Call]) -> list[Answer]:
        """The results in the order of the calls, an RpcError for those that failed. Events in between are not ours."""
        waiting: dict[int, int] = {}
        answers: list[Answer] = [None] * len(calls)
        place = 0
        while place < len(calls) or waiting:
            while place < len(calls) and len(waiting) < _AT_ONCE:
                asked = [calls[at].method for at in (*waiting.values(), place)]
                waiting[await self._send(calls[place], asked)] = place
                place += 1
            message = await self._receive([calls[at].method for at in waiting.values()])
            number = message.get("id")
            if number is None and "error" in message:
                raise stopped(Trouble.GARBLED, f"it could not read what was asked: {error_of(message['error']).reason}")
            if "method" in message or not isinstance(number, int) or number not in waiting:
                continue
            answers[waiting.pop(number)] = error_of(message["error"]) if "error" in message else message.get("result")
        return answers

    async def login(self, username: str, key: Secret) -> None:
        """Say who we are."""
        told = {"mechanism": "API_KEY_PLAIN", "username": username, "api_key": key.reveal(), "login_options": {"user_info": False}}
        (answer,) = await self.ask([Call("auth.login_ex", (told,))])
        if isinstance(answer, RpcError):
            raise login_refused(answer)
        of_login(answer, username)

    async def _send(self, call: Call, asked: Sequence[str]) -> int:
        """Its number; `asked` are all methods that wait for an answer then."""
        self._next += 1
        frame = {"jsonrpc": "2.0", "id": self._next, "method": call.method, "params": list(call.params)}
        try:
            await self._socket.send(json.dumps(frame))
        except ConnectionClosed as error:
            raise _closed(error, asked, self._bounds) from None
        return self._next

    async def _receive(self, methods: Sequence[str]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.left_s):
                text = await self._socket.recv()
        except TimeoutError:
            raise stopped(
                Trouble.SLOW, f"{', '.join(dict.fromkeys(methods))}: no answer within {self._bounds.look_s:.0f} s",
                "it is up and slow: look at its page Jobs and at its disks",
            ) from None  # fmt: skip
        except ConnectionClosed as error:
            raise _closed(error, methods, self._bounds) from None
        try:
            return read(text, an_object)
        except Malformed:
            raise stopped(Trouble.GARBLED, f"an answer of {number(len(text), 'byte')} is no JSON object") from None


class _Compared(ClientConnection):
    """A connection whose certificate is compared before its first byte is sent: asyncio wraps no socket with the context."""

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        """Compare, then upgrade."""
        layer = self.transport.get_extra_info("ssl_object")
        context = self.transport.get_extra_info("sslcontext")
        if layer is None:
            raise stopped(Trouble.OTHER, "no TLS")
        if isinstance(context, PinnedContext):
            compared(layer.getpeercert(True) or b"", context.pin)
        await super().handshake(*args, **kwargs)


@asynccontextmanager
async def opened(nas: Nas, key: Secret, bounds: Bounds) -> AsyncIterator[Session]:
    """A session that is logged in; closed at the end, whatever happened. Stopped when there is none to be had."""
    context = context_of(nas)
    with _translated(nas, bounds):
        entries, certificate = _versions(nas, context, bounds)
        path, release = chosen(entries)
        plain = socket.create_connection((nas.host, nas.port), timeout=bounds.connect_s)
        plain.setblocking(False)
        # Compression would let a small frame become a large answer; a proxy of the environment is not what the settings say.
        async with connect(
            f"wss://{nas.address}{path}", sock=plain, ssl=context, server_hostname=nas.host, compression=None, proxy=None,
            open_timeout=bounds.connect_s, ping_interval=_PING_S, close_timeout=1.0, max_size=bounds.answer, logger=_LOG,
            create_connection=_Compared,
        ) as connected:  # fmt: skip
            session = Session(connected, (path, release), ends(certificate), bounds)
            await session.login(nas.username, key)
            yield session


def _versions(nas: Nas, context: ssl.SSLContext, bounds: Bounds) -> tuple[list[str], bytes]:
    """What the server lists, and its certificate. No login is needed, and none is given."""
    asked = http.client.HTTPSConnection(nas.host, nas.port, timeout=bounds.connect_s, context=context)
    try:
        asked.request("GET", "/api/versions", headers={"Accept": "application/json", "Connection": "close"})
        assert isinstance(asked.sock, ssl.SSLSocket)
        certificate = asked.sock.getpeercert(True) or b""
        answer = asked.getresponse()
        body, until = b"", time.monotonic() + bounds.connect_s
        while len(body) <= _LISTED and (part := answer.read1(_LISTED)):
            body += part
            if time.monotonic() > until:
                raise TimeoutError
    finally:
        asked.close()
    if answer.status in (502, 503, 504):
        raise stopped(Trouble.UNREACHABLE, f"its API answers {answer.status}: it is still starting, or has stopped")
    try:
        listed = read(body, a_list) if answer.status == 200 and len(body) <= _LISTED else []
    except Malformed:
        listed = []
    if not listed or not all(isinstance(one, str) for one in listed):
        raise stopped(
            Trouble.OTHER, f"/api/versions is answered with {answer.status} and no list of versions",
            "a TrueNAS of 25.04 or newer answers there; older ones cannot be asked by this tool",
        )  # fmt: skip
    return listed, certificate


@contextmanager
def _translated(nas: Nas, bounds: Bounds) -> Iterator[None]:
    """Every error of the connection as Stopped."""
    hint = f"is it on, and reachable from here? nc -vz {nas.host} {nas.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise not_trusted(error, nas) from None
    except TimeoutError:
        raise stopped(Trouble.UNREACHABLE, f"no connection within {bounds.connect_s:g} s", hint) from None
    except ssl.SSLError as error:
        told = f"no TLS: {error.reason or type(error).__name__}"
        raise stopped(Trouble.OTHER, told, "url must be the port of its web page") from None
    except InvalidStatus as error:
        told = f"the connection to its API was answered with {error.response.status_code}"
        raise stopped(Trouble.OTHER, told, "what stands before it (a proxy?) lets no websocket through") from None
    except ConnectionClosed as error:
        raise _closed(error, (), bounds) from None
    except (InvalidHandshake, WebSocketException, http.client.HTTPException, ValueError) as error:
        raise stopped(Trouble.OTHER, f"it does not speak as one does: {type(error).__name__}") from None
    except OSError as error:
        raise stopped(Trouble.UNREACHABLE, error.strerror or type(error).__name__, hint) from None


def _closed(error: ConnectionClosed, methods: Sequence[str], bounds: Bounds) -> Stopped:
    """A connection that ended, by who ended it and when."""
    code = error.rcvd.code if error.rcvd is not None else None
    asked = ", ".join(dict.fromkeys(methods))
    if error.sent is not None and error.sent.code == _TOO_BIG and (error.rcvd is None or error.rcvd_then_sent is not True):
        return stopped(Trouble.TOO_MUCH, f"{asked}: an answer of more than {bounds.answer // 2**20} MiB")
    if code == _SHUT_OUT:
        return stopped(
            Trouble.SHUT_OUT, "it closes the connection (1008): this machine is not on its list of allowed addresses",
            "System > General Settings > GUI > Allowed IP addresses",
        )  # fmt: skip
    how = f"with code {code}" if code is not None else "without a word"
    return stopped(Trouble.DROPPED, f"the connection ended {how} while waiting for {asked or 'the login'}")
