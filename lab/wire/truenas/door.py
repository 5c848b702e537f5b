"""The TrueNAS door: a TLS websocket server on loopback that speaks JSON-RPC as a box does, limits and silence included.

Which form its answers have is the box's version; which methods there are, also the path that was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from engine.text.jsontext import Malformed, read
from lab.wire.truenas.calls import Connection, Failed
from lab.wire.truenas.forms import V26
from lab.wire.truenas.jobs import Jobs
from lab.wire.truenas.limits import Logins
from lab.wire.truenas.methods import listed, release_of
from lab.world.nas import LabNas

_LOG = logging.getLogger("lab.truenas.websockets")
_LOG.disabled = True
_BEFORE_LOGIN, _AFTER_LOGIN, _UPLOAD = 8192, 65536, 2 * 2**20
_RUNNING, _CALLS = 10, 20
_SLICE_S = 0.2
_STARTS_S = 10.0


class _Heard(ServerConnection):
    """A connection that knows when it last sent a byte: nginx before a real box goes by that."""

    sent_at = 0.0

    def send_data(self) -> None:
        """Send, and know when."""
        self.sent_at = time.monotonic()
        super().send_data()


class TrueNasDoor:
    """Serves one box between `start` and `close`. `context` None serves without TLS, as a real box can, too."""

    def __init__(
        self, nas: LabNas, context: ssl.SSLContext | None, *, address: str = "127.0.0.1", port: int = 0,
        now: Callable[[], float] = time.time, idle_s: float | None = None, binding: bytes = b"",
    ) -> None:  # fmt: skip
        """`idle_s`: how long the box may be silent on a connection before that is cut (60 s up to 25.10); `binding`: SHA-256 of
        its certificate, to which a login of 26 can be bound."""
        self._binding = binding
        self.nas, self._context, self._now = nas, context, now
        self._idle_s = idle_s if idle_s is not None else 3600.0 if nas.release >= V26 else 60.0
        self.logins, self.jobs = Logins(), Jobs(nas, now)
        self.asked: list[str] = []
        """Every method that was called, in order: for tests."""
        self.address, self.port = address, port
        self._loop = asyncio.new_event_loop()
        self._server: Server
        self._thread = threading.Thread(target=self._loop.run_forever, name="truenas door", daemon=True)

    def start(self) -> TrueNasDoor:
        """Listen, and begin to answer. OSError when the address is taken."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_STARTS_S)
        except BaseException:
            self._end()
            raise
        return self

    async def _listen(self) -> None:
        self._server = await serve(
            self._serve, self.address, self.port, ssl=self._context, process_request=self._request, compression=None,
            ping_interval=None, max_size=_UPLOAD + 1024, close_timeout=1.0, logger=_LOG, create_connection=_Heard,
        )  # fmt: skip
        self.port = int(next(iter(self._server.sockets)).getsockname()[1])

    def close(self) -> None:
        """Cut every connection and stop."""
        if self._loop.is_closed():
            return
        self.jobs.close()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_STARTS_S)
        self._end()

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        """What stands before the upgrade: the list of versions, 404 for paths that the box has not."""
        if self.nas.silent:
            connection.transport.abort()
            return connection.respond(HTTPStatus.BAD_GATEWAY, "")
        path = urlsplit(request.path).path
        if path == "/api/versions":
            body = json.dumps(listed(self.nas.version)).encode()
            headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
            return Response(200, "OK", headers, body)
        if not path.startswith("/api/") or release_of(path, self.nas.version) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "404: Not Found")
        return None

    async def _serve(self, socket_: ServerConnection) -> None:
        """One connection, from the upgrade to its end."""
        assert isinstance(socket_, _Heard)
        assert socket_.request is not None  # the upgrade is over
        if self.nas.weather.shut_out:
            await socket_.close(1008, "You are not allowed to access this resource")
            return
        release = release_of(urlsplit(socket_.request.path).path, self.nas.version)
        assert release is not None  # _request looked
        line = _Line(socket_, self._loop)
        peer = socket_.remote_address[0] if isinstance(socket_.remote_address, tuple) else ""
        secure = self._context is not None
        connection = Connection(self.nas, release, self.jobs, self.logins, str(peer), self._now, secure, line.tell, self._binding)
        self.jobs.listeners.append(connection.hear)
        pool = ThreadPoolExecutor(_RUNNING, thread_name_prefix="truenas call")
        try:
            with contextlib.suppress(ConnectionClosed):
                await self._frames(connection, line, pool)
        finally:
            connection.gone.set()
            self.jobs.listeners.remove(connection.hear)
            pool.shutdown(wait=False, cancel_futures=True)

    async def _frames(self, connection: Connection, line: _Line, pool: ThreadPoolExecutor) -> None:
        socket_ = line.socket
        while True:
            try:
                async with asyncio.timeout(_SLICE_S):
                    frame = await socket_.recv()
            except TimeoutError:
                if time.monotonic() - socket_.sent_at > self._idle_s:
                    socket_.transport.abort()
                    return
                continue
            if not isinstance(frame, str):
                await socket_.close(1003, "Binary messages are not supported")
                return
            if len(frame) > (_AFTER_LOGIN if connection.user is not None else _BEFORE_LOGIN):
                await socket_.close(1009 if connection.user is not None else 1007, "Max message length exceeded")
                return
            call, error = _parsed(frame)
            if error is not None:
                await line.send(error)
            elif line.calls >= _CALLS:
                await line.failed(call, Failed(-32000, f"Maximum number of concurrent calls ({_CALLS}) has exceeded"))
            else:
                line.begin(self._answer(connection, line, call, pool))

    async def _answer(self, connection: Connection, line: _Line, call: dict[str, Any], pool: ThreadPoolExecutor) -> None:
        name, weather = call["method"], self.nas.weather
        self.asked.append(name)
        if name == weather.drop:
            line.socket.transport.abort()
        elif name == weather.garble:
            await line.socket.send('{"jsonrpc":"2.0","result":[')
        elif name != weather.hang:
            try:
                result = await self._loop.run_in_executor(pool, connection.call, name, call.get("params", []), call.get("id"))
            except Failed as error:
                await line.failed(call, error)
                return
            if "id" in call:
                await line.send({"jsonrpc": "2.0", "result": result, "id": call["id"]})


class _Line:
    """One connection's way out: sends frames whole, from any thread, and knows its calls that are under way."""

    def __init__(self, socket_: _Heard, loop: asyncio.AbstractEventLoop) -> None:
        self.socket, self._loop = socket_, loop
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def calls(self) -> int:
        """How many are under way."""
        return len(self._tasks)

    def begin(self, call: Any) -> None:
        """Let one begin."""
        task = self._loop.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, frame: dict[str, Any]) -> None:
        """One frame; nothing when nobody is there any more."""
        with contextlib.suppress(ConnectionClosed, OSError):
            await self.socket.send(json.dumps(frame))

    async def failed(self, call: dict[str, Any], error: Failed) -> None:
        """One error; a call without an id gets no answer, not even this."""
        if "id" in call:
            await self.send({"jsonrpc": "2.0", "error": error.error, "id": call["id"]})

    def tell(self, frame: dict[str, Any]) -> None:
        """The same as `send`, from another thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            asyncio.run_coroutine_threadsafe(self.send(frame), self._loop)


def _parsed(frame: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """(the call in a frame, the error that answers a frame which is none)."""
    try:
        told = read(frame)
    except Malformed as error:
        return {}, _error(None, -32700, str(error))
    if isinstance(told, list):
        return {}, _error(None, -32700, "Batch messages are not supported at this time")
    call = told if isinstance(told, dict) else {}
    number = call.get("id")
    if not isinstance(number, (int, str, type(None))) or isinstance(number, bool):
        return {}, _error(None, -32600, "'id' member must be of type string or number")
    if call.get("jsonrpc") != "2.0":
        return {}, _error(number, -32600, "'jsonrpc' member must be '2.0'")
    if not isinstance(call.get("method"), str):
        return {}, _error(number, -32600, "'method' member must be of type string")
    if not isinstance(call.get("params", []), list):
        return {}, _error(number, -32600, "'params' member must be of type array")
    return call, None


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": number}
