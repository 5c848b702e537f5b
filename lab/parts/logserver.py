"""A kubelet's HTTPS door: the API server asks here for a pod's log. Knows no pod, only where a log lies."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.parts.knobs import Knobs, LogEndpoint

PORT = 10250
_SLOW_S = 30.0


_KNOWN = frozenset({"follow", "tailLines", "previous", "timestamps"})
"""What a request for a log may say; whatever else it asks for is refused by name, and so are the last two where they are true."""


class LogServer:
    """Serves /containerLogs/<namespace>/<pod>/<container> on one node's address to clients of the cluster's authority."""

    def __init__(
        self,
        address: str,
        certificate: Path,
        key: Path,
        authority: Path,
        knobs: Knobs,
        find: Callable[[str, str, str], Path | None],
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        self._stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"knobs": knobs, "find": staticmethod(find), "stopping": self._stopping})
        self._server = _Server((address, PORT), handler)
        # The handshake happens in the connection's own thread, so that one slow client blocks nobody.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=f"kubelet-{address}", daemon=True
        )

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Close the door."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join(10.0)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off (a port probe, a cut connection) is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    knobs: Knobs
    find: Callable[[str, str, str], Path | None]
    stopping: threading.Event

    def do_GET(self) -> None:
        """Answer one request for a log."""
        parts = urlsplit(self.path)
        steps = parts.path.strip("/").split("/")
        if steps == ["healthz"]:
            self._answer(200, b"ok")
            return
        if len(steps) != 4 or steps[0] != "containerLogs":
            self._answer(404, b"no such page\n")
            return
        query = parse_qs(parts.query)
        if unknown := sorted(set(query) - _KNOWN | {name for name in ("previous", "timestamps") if query.get(name) == ["true"]}):
            self._answer(501, f"lab: a log with {', '.join(unknown)} is not simulated\n".encode())
            return
        knob = self.knobs.log_endpoint
        if knob is LogEndpoint.ERROR:
            self._answer(500, b"lab: the log endpoint is broken\n")
            return
        if knob is LogEndpoint.SLOW:
            self.stopping.wait(_SLOW_S)
        log = self.find(steps[1], steps[2], steps[3])
        if log is None:
            self._answer(404, f'pod "{steps[2]}" not found\n'.encode())
            return
        content = b"" if knob is LogEndpoint.EMPTY or not log.exists() else log.read_bytes()
        content = _last_lines(content, query.get("tailLines"))
        if query.get("follow") == ["true"]:
            self._follow(log, content)
        else:
            self._answer(200, content)

    def do_POST(self) -> None:
        """What a client does inside of a pod: exec, attach, port-forward, cp."""
        what = urlsplit(self.path).path.strip("/").partition("/")[0] or "this"
        self.close_connection = True  # what it sent besides is not read
        self._answer(501, f"lab: {what} is not simulated, nothing of a pod can be entered\n".encode())

    def _follow(self, log: Path, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        with log.open("rb") as source:
            source.seek(0, 2)
            while not self.stopping.is_set() and self.find(*urlsplit(self.path).path.split("/")[2:5]) is not None:
                more = source.read()
                if more:
                    self.wfile.write(more)
                    self.wfile.flush()
                time.sleep(0.1)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class asks for
        """The API server's own log is enough."""


def _last_lines(content: bytes, wanted: list[str] | None) -> bytes:
    if not wanted or not wanted[0].isdigit():
        return content
    count = int(wanted[0])
    return b"".join(content.splitlines(keepends=True)[-count:]) if count else b""
