"""A kubelet's HTTPS door: the API server asks here for a pod's log, and to run a command in it. Knows no pod, only who finds it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.parts.knobs import Knobs, LogEndpoint
from lab.parts.pods.execdoor import PROTOCOL, Command, answer_to, serve

PORT = 10250
_SLOW_S = 30.0


_KNOWN = frozenset({"follow", "tailLines", "limitBytes", "previous", "timestamps"})
"""What a request for a log may say; whatever else it asks for is refused by name, and so are the last two where they are true."""


Enter = Callable[[str, str, str, tuple[str, ...]], Command | str]
"""Namespace, pod, container, words → how they are run inside, or why they cannot be."""


def _nowhere(namespace: str, pod: str, container: str, words: tuple[str, ...]) -> str:
    return f"nothing of pod {namespace}/{pod} can be entered"


class LogServer:
    """Serves /containerLogs/<namespace>/<pod>/<container>, and /exec/ of the same, on one node's address to clients of the
    cluster's authority."""

    def __init__(
        self,
        address: str,
        certificate: Path,
        key: Path,
        authority: Path,
        knobs: Knobs,
        find: Callable[[str, str, str], Path | None],
        enter: Enter = _nowhere,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        self._stopping = threading.Event()
        told = {"knobs": knobs, "find": staticmethod(find), "enter": staticmethod(enter), "stopping": self._stopping}
        handler = type("Handler", (_Handler,), told)
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
    enter: Enter
    stopping: threading.Event

    def do_GET(self) -> None:
        """Answer one request for a log, or to run something in a pod."""
        parts = urlsplit(self.path)
        steps = parts.path.strip("/").split("/")
        if steps == ["healthz"]:
            self._answer(200, b"ok")
            return
        if "Upgrade" in self.headers:
            self._inside(steps, parse_qs(parts.query))
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
        content = _first_bytes(_last_lines(content, query.get("tailLines")), query.get("limitBytes"))
        if query.get("follow") == ["true"]:
            self._follow(log, content)
        else:
            self._answer(200, content)

    def do_POST(self) -> None:
        """What a client does inside of a pod by SPDY, which kubectl tries where a WebSocket was refused: so that this tells why."""
        parts = urlsplit(self.path)
        self.close_connection = True  # what it sent besides is not read
        found = self._entered(parts.path.strip("/").split("/"), parse_qs(parts.query))
        self._answer(501, f"lab: {found if isinstance(found, str) else 'exec by SPDY is not simulated'}\n".encode())

    def _entered(self, steps: list[str], query: dict[str, list[str]]) -> Command | str:
        """How what is asked for is run inside, or why it cannot be: attach and port-forward cannot, nor what wants a terminal."""
        if steps[0] != "exec" or len(steps) != 4:
            return f"{steps[0] or 'this'} is not simulated"
        if query.get("tty") == ["1"]:
            return "a terminal is not simulated: exec without -t"
        return self.enter(steps[1], steps[2], steps[3], tuple(query.get("command", ())))

    def _inside(self, steps: list[str], query: dict[str, list[str]]) -> None:
        """`exec` over a WebSocket."""
        self.close_connection = True
        found = self._entered(steps, query)
        if PROTOCOL not in [one.strip() for one in self.headers.get("Sec-WebSocket-Protocol", "").split(",")]:
            found = f"{steps[0]} is simulated by {PROTOCOL} alone"
        if isinstance(found, str):
            self._answer(501, f"lab: {found}\n".encode())
            return
        self.send_response(101)
        for name, value in (
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Protocol", PROTOCOL),
            ("Sec-WebSocket-Accept", answer_to(self.headers.get("Sec-WebSocket-Key", ""))),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        serve(self.connection, replace(found, given=query.get("input") == ["1"]), self.stopping)

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


def _first_bytes(content: bytes, wanted: list[str] | None) -> bytes:
    """Of what would be shown, as a kubelet does it: the last line may be cut."""
    return content[: int(wanted[0])] if wanted and wanted[0].isdigit() else content


def _last_lines(content: bytes, wanted: list[str] | None) -> bytes:
    if not wanted or not wanted[0].isdigit():
        return content
    count = int(wanted[0])
    return b"".join(content.splitlines(keepends=True)[-count:]) if count else b""
