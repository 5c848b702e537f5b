"""A plain HTTPS server on loopback: it hands requests over and sends what comes back. Knows nothing of what it serves."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from house.files.grammar import number_of

# Seconds an idle connection stays open, as pve-http-server has it.
IDLE_S = 5.0
_ACKED = struct.Struct("=120xQ")  # tcpi_bytes_acked of tcp_info (linux/tcp.h)


@dataclass(frozen=True)
class Request:
    """One request: the target as it came (path and query, not decoded), header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer. `drop` closes the connection without a word; `close` closes it after the answer."""

    status: int = 200
    reason: str = "OK"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drop: bool = False
    close: bool = False


class HttpsServer:
    """Serves from its own threads between `start` and `close`; `close` leaves no thread and no socket behind."""

    def __init__(
        self,
        address: str,
        port: int,
        context: ssl.SSLContext,
        answer: Callable[[Request], Reply],
        alive: Callable[[], bool] = lambda: True,
        *,
        chunked: bool = False,
    ) -> None:
        """Listen at once (port 0: any free one). `alive` false: connections are cut before a word is said, open ones too.

        `chunked`: take bodies that come in chunks; pve-http-server does not.
        """
        self._server = _Server((address, port), context, answer, alive)
        self._server.chunked = chunked
        self.address, self.port = address, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.accept_all, name=f"https {self.port}", daemon=True)

    @property
    def url(self) -> str:
        """`https://address:port`."""
        return f"https://{self.address}:{self.port}"

    def start(self) -> HttpsServer:
        """Begin to answer."""
        self._thread.start()
        return self

    @property
    def sent(self) -> int:
        """Bytes that clients have taken so far, on all connections: with TLS's own, without headers of packets."""
        return self._server.sent()

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._server.stop_accepting()
        if self._thread.is_alive():
            self._thread.join()
        self._server.close_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = True
    chunked = False

    def __init__(
        self,
        where: tuple[str, int],
        context: ssl.SSLContext,
        answer: Callable[[Request], Reply],
        alive: Callable[[], bool],
    ) -> None:
        super().__init__(where, _Handler)
        self._context, self._alive = context, alive
        self._answer = answer
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._sent = 0

    def answer(self, request: Request) -> Reply:
        """What the server says; nothing on a connection that was open before it was switched off."""
        return self._answer(request) if self._alive() else Reply(drop=True)

    def sent(self) -> int:
        """See HttpsServer."""
        with self._lock:
            return self._sent + sum(map(_taken, self._open.values()))

    def accept_all(self) -> None:
        """Accept until stop_accepting."""
        while True:
            try:
                request, client_address = self.get_request()
            except OSError:
                return
            self.process_request(request, client_address)

    def stop_accepting(self) -> None:
        """Wake whoever waits in accept (Linux ends it when the listening socket is shut down)."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)  # a stream server hands out nothing else
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name="https connection", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: socket.socket, client_address: object) -> None:
        """One connection, from the handshake (here, not in the listening thread) to its end."""
        try:
            if not self._alive():
                return
            request.settimeout(IDLE_S)
            try:
                secure = self._context.wrap_socket(request, server_side=True)
            except OSError:
                # The client did not like our certificate, or left: nothing to answer.
                return
            with self._lock:
                self._open[threading.current_thread()] = secure
            with secure, contextlib.suppress(OSError):
                try:
                    _Handler(secure, client_address, self)
                finally:
                    with self._lock:
                        self._sent += _taken(self._open.pop(threading.current_thread()))
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)
            request.close()

    def close_all(self) -> None:
        """Close the listening socket and all connections, and wait for their threads."""
        self.server_close()
        with self._lock:
            connections = dict(self._open)
        for connection in connections.values():
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in connections:
            thread.join(IDLE_S)


def _taken(connection: socket.socket) -> int:
    """Bytes of it that its client has taken, as this machine's TCP counts them; of one that is closed none."""
    if connection.fileno() < 0:
        return 0
    return int(_ACKED.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size))[0])


class _NoSize(Exception):
    """What should be a chunk with its size is none."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write per answer, sent at once: else every answer costs 40 ms of delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def handle_expect_100(self) -> bool:
        """Let the client send its body: at once, for it waits for this word (S3 clients ask before every upload)."""
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def _go(self) -> None:
        in_chunks = bool(self.headers.get("Transfer-Encoding"))
        if in_chunks and not self.server.chunked:
            self._send(Reply(501, "chunked transfer encoding not supported", close=True))
            return
        length = number_of(self.headers.get("Content-Length") or "0")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._chunks() if in_chunks else None if length is None else self.rfile.read(length)
        except _NoSize:
            body = None
        if body is None:
            self._send(Reply(400, "Bad Request", close=True))
            return
        if not in_chunks and len(body) != length:
            # Whoever sends it is gone: half a request asks for nothing.
            self.close_connection = True
            return
        reply = self.server.answer(Request(self.command, self.path, headers, body))
        if reply.drop:
            self.close_connection = True
        else:
            self._send(reply)

    def _size(self) -> int:
        """The size of the chunk that comes. Raises _NoSize."""
        head = self.rfile.readline(100).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", head):
            raise _NoSize
        return int(head, 16)

    def _chunks(self) -> bytes:
        """The body out of its chunks (sizes in hexadecimal, the last one empty); trailers are read and dropped. Raises _NoSize."""
        whole = bytearray()
        while size := self._size():
            chunk = self.rfile.read(size)
            if len(chunk) != size or self.rfile.readline(100) != b"\r\n":
                raise _NoSize
            whole += chunk
        while self.rfile.readline(8192).strip():
            pass
        return bytes(whole)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _go  # noqa: N815 - http.server looks for these names

    def _send(self, reply: Reply) -> None:
        self.send_response_only(
            reply.status, " ".join(reply.reason.split()).encode("latin-1", "replace").decode("latin-1")
        )
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Date" not in reply.headers:
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.close:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name for it
        """Requests are not logged here: whoever answers them keeps what is worth keeping."""
