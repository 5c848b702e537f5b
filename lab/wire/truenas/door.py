"""The TrueNAS door: a TLS websocket server on loopback that speaks JSON-RPC as a box does, limits and silence included.

Which form its answers have is the box's version; which methods there are, also the path that was asked.
"""

from __future__ import annotations

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

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

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


class _Heard(ServerConnection):
    """A connection that knows when it last sent a byte: nginx before a real box goes by that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent_at = time.monotonic()
        super().__init__(*args, **kwargs)

    def send_data(self) -> None:
        """Send, and know when."""
        self.sent_at = time.monotonic()
        super().send_data()


class TrueNasDoor:
    """Serves one box between `start` and `close`. `context` None serves without TLS, as a real box can, too."""

    def __init__(
        self, nas: LabNas, context: ssl.SSLContext | None, *, address: str = "127.0.0.1", port: int = 0,
        now: Callable[[], float] = time.time, idle_s: float | None = None,
    ) -> None:  # fmt: skip
        """Listen at once. `idle_s`: how long the box may be silent on a connection before that is cut (60 s up to 25.10)."""
        self.nas, self._context, self._now = nas, context, now
        self._idle_s = idle_s if idle_s is not None else 3600.0 if nas.release >= V26 else 60.0
        self.logins, self.jobs = Logins(), Jobs(nas, now)
        self.asked: list[str] = []
        """Every method that was called, in order: for tests."""
        self._server: Server = serve(
            self._serve, address, port, ssl=context, process_request=self._request, compression=None, ping_interval=None,
            max_size=_UPLOAD + 1024, close_timeout=1.0, logger=_LOG, create_connection=_Heard,
        )  # fmt: skip
        self.address, self.port = address, int(self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="truenas door", daemon=True)

    def start(self) -> TrueNasDoor:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Cut every connection and stop."""
        self.jobs.close()
        self._server.shutdown()
        self._thread.join()

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        """What stands before the upgrade: the list of versions, 404 for paths that the box has not."""
        if self.nas.weather.down:
            connection.socket.close()
            return connection.respond(HTTPStatus.BAD_GATEWAY, "")
        path = urlsplit(request.path).path
        if path == "/api/versions":
            body = json.dumps(listed(self.nas.version)).encode()
            headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
            return Response(200, "OK", headers, body)
        if not path.startswith("/api/") or release_of(path, self.nas.version) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "404: Not Found")
        return None

    def _serve(self, socket_: ServerConnection) -> None:
        """One connection, from the upgrade to its end."""
        assert isinstance(socket_, _Heard) and socket_.request is not None
        if self.nas.weather.shut_out:
            socket_.close(1008, "You are not allowed to access this resource")
            return
        release = release_of(urlsplit(socket_.request.path).path, self.nas.version)
        assert release is not None  # _request looked
        send = _Sender(socket_)
        peer = socket_.remote_address[0] if isinstance(socket_.remote_address, tuple) else ""
        secure = self._context is not None
        connection = Connection(self.nas, release, self.jobs, self.logins, str(peer), self._now, secure, send.send)
        self.jobs.listeners.append(connection.hear)
        pool = ThreadPoolExecutor(_RUNNING, thread_name_prefix="truenas call")
        try:
            with contextlib.suppress(ConnectionClosed):
                self._frames(socket_, connection, send, pool)
        finally:
            self.jobs.listeners.remove(connection.hear)
            pool.shutdown(wait=False, cancel_futures=True)

    def _frames(self, socket_: _Heard, connection: Connection, send: _Sender, pool: ThreadPoolExecutor) -> None:
        while True:
            try:
                frame = socket_.recv(timeout=_SLICE_S)
            except TimeoutError:
                if time.monotonic() - socket_.sent_at > self._idle_s:
                    socket_.socket.close()
                    return
                continue
            if not isinstance(frame, str):
                socket_.close(1003, "Binary messages are not supported")
                return
            if len(frame) > (_AFTER_LOGIN if connection.user is not None else _BEFORE_LOGIN):
                socket_.close(1009 if connection.user is not None else 1007, "Max message length exceeded")
                return
            call = _parsed(frame, send)
            if call is None:
                continue
            if not send.take():
                send.failed(call.get("id"), Failed(-32000, f"Maximum number of concurrent calls ({_CALLS}) has exceeded"), call)
                continue
            pool.submit(self._answer, socket_, connection, send, call)

    def _answer(self, socket_: _Heard, connection: Connection, send: _Sender, call: dict[str, Any]) -> None:
        name, weather = call["method"], self.nas.weather
        self.asked.append(name)
        try:
            if name == weather.drop:
                socket_.socket.close()
                return
            if name == weather.hang:
                return
            if name == weather.garble:
                socket_.send('{"jsonrpc":"2.0","result":[')
                return
            try:
                result = connection.call(name, call.get("params", []), call.get("id"))
            except Failed as error:
                send.failed(call.get("id"), error, call)
                return
            if "id" in call:
                send.send({"jsonrpc": "2.0", "result": result, "id": call["id"]})
        except (ConnectionClosed, OSError):
            return
        finally:
            send.give_back()


class _Sender:
    """Sends frames of one connection whole, and counts its calls."""

    def __init__(self, socket_: ServerConnection) -> None:
        self._socket, self._lock, self._calls = socket_, threading.Lock(), 0

    def take(self) -> bool:
        """Count one call in; False when there are too many."""
        with self._lock:
            if self._calls >= _CALLS:
                return False
            self._calls += 1
            return True

    def give_back(self) -> None:
        """Count one call out."""
        with self._lock:
            self._calls -= 1

    def send(self, frame: dict[str, Any]) -> None:
        """One frame."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._socket.send(json.dumps(frame))

    def failed(self, number: Any, error: Failed, call: dict[str, Any] | None) -> None:
        """One error; a call without an id gets no answer, not even this."""
        if call is None or "id" in call:
            self.send({"jsonrpc": "2.0", "error": error.error, "id": number})


def _parsed(frame: str, send: _Sender) -> dict[str, Any] | None:
    """The call in a frame; what is none is answered here."""
    try:
        told = json.loads(frame)
    except ValueError as error:
        send.failed(None, Failed(-32700, str(error)), None)
        return None
    if isinstance(told, list):
        send.failed(None, Failed(-32700, "Batch messages are not supported at this time"), None)
        return None
    if not isinstance(told, dict) or told.get("jsonrpc") != "2.0":
        number = told.get("id") if isinstance(told, dict) else None
        send.failed(number, Failed(-32600, "'jsonrpc' member must be '2.0'"), None)
        return None
    if not isinstance(told.get("method"), str):
        send.failed(told.get("id"), Failed(-32600, "'method' member must be of type string"), None)
        return None
    if not isinstance(told.get("params", []), list):
        send.failed(told.get("id"), Failed(-32600, "'params' member must be of type array"), None)
        return None
    if not isinstance(told.get("id"), (int, str, type(None))) or isinstance(told.get("id"), bool):
        send.failed(None, Failed(-32600, "'id' member must be of type string or number"), None)
        return None
    return told
