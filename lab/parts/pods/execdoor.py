"""`kubectl exec` at a kubelet's door: one command, its streams over a WebSocket (v5.channel.k8s.io). Knows no pod.

An API server of 1.36 hands a WebSocket on to a kubelet that declares ExtendWebSocketsToKubelet; the older way, SPDY, is not spoken
here. Channels: 0 is the command's input, 1 its output, 2 its errors, 3 how it ended (a Status); 255 says which one was closed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

PROTOCOL = "v5.channel.k8s.io"
FEATURE = "ExtendWebSocketsToKubelet"
"""What a node declares whose kubelet takes WebSockets itself."""
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BINARY, _CLOSE, _PING, _PONG, _CONTINUED = 0x2, 0x8, 0x9, 0xA, 0x0
_INPUT, _OUTPUT, _ERRORS, _STATUS, _CLOSED = 0, 1, 2, 3, 255
_CHUNK = 1 << 15
_LOOK_S = 0.1
_STUCK_S = 20.0
_MOST = 1 << 24
_NORMAL = struct.pack(">H", 1000)


@dataclass(frozen=True)
class Command:
    """What is run: words and whole environment. `given`: whether its input is the client's; `alive`: whether that still runs beside
    which it is run."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    given: bool
    alive: Callable[[], bool]


def answer_to(key: str) -> str:
    """What the header Sec-WebSocket-Accept says to a client's key."""
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()


def serve(connection: socket.socket, command: Command, stopping: threading.Event) -> None:
    """Run it, and carry its streams until it has ended. With its client, its container or this door it is killed, and what it has
    left in its group. The handshake was answered."""
    wire = Wire(connection, lambda: command.alive() and not stopping.is_set())
    process = subprocess.Popen(
        command.argv, env=dict(command.environment), stdin=subprocess.PIPE if command.given else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    carrying = [
        threading.Thread(target=_carry, args=(wire, channel, stream), daemon=True)
        for channel, stream in ((_OUTPUT, process.stdout), (_ERRORS, process.stderr))
    ]
    reading = threading.Thread(target=_take, args=(wire, process), daemon=True)
    for thread in (*carrying, reading):
        thread.start()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped yet: its number still names its group
    for thread in carrying:
        while thread.is_alive() and reading.is_alive():
            thread.join(_LOOK_S)
    wire.over.set()
    code = process.wait()
    with suppress(OSError):
        wire.send(_BINARY, bytes([_STATUS]) + json.dumps(_told(code)).encode())
        wire.send(_CLOSE, _NORMAL)
    reading.join(_STUCK_S)


def _told(code: int) -> dict[str, object]:
    """The Status of a command that ended so, as a kubelet words it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    code = 128 - code if code < 0 else code
    causes = [{"reason": "ExitCode", "message": str(code)}]
    message = f"command terminated with non-zero exit code: exit status {code}"
    return {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": message, "details": {"causes": causes}}


def _carry(wire: Wire, channel: int, stream: IO[bytes] | None) -> None:
    assert stream is not None  # it was asked for
    with suppress(OSError):
        while part := os.read(stream.fileno(), _CHUNK):
            wire.send(_BINARY, bytes([channel]) + part)
    stream.close()


def _take(wire: Wire, process: subprocess.Popen[bytes]) -> None:
    """What the client sends: input, and that there is no more of it. Where none can come any more the command is killed."""
    given = process.stdin
    try:
        while (frame := wire.receive()) is not None:
            kind, body = frame
            if kind == _PING:
                wire.send(_PONG, body)
            elif kind == _BINARY and given is not None and body[:1] == bytes([_INPUT]):
                with suppress(BrokenPipeError):
                    given.write(body[1:])
                    given.flush()
            elif kind == _BINARY and given is not None and body == bytes([_CLOSED, _INPUT]):
                with suppress(BrokenPipeError):
                    given.close()
                given = None
    except (OSError, ValueError):
        pass
    if not wire.over.is_set():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if given is not None:
        with suppress(BrokenPipeError):
            given.close()


class Wire:
    """The frames of one connection, server's side. One thread at a time is at the socket: OpenSSL bears no two at once."""

    def __init__(self, connection: socket.socket, wanted: Callable[[], bool]) -> None:
        self._connection, self._lock, self._kept = connection, threading.Lock(), b""
        self._wanted, self._torn = wanted, False
        self.over = threading.Event()
        connection.settimeout(_STUCK_S)

    def send(self, kind: int, body: bytes) -> None:
        """One whole frame. OSError where it does not get through, and from then on: nothing follows the half of one."""
        size = len(body)
        if size < 126:
            head = bytes([0x80 | kind, size])
        elif size < 1 << 16:
            head = bytes([0x80 | kind, 126]) + struct.pack(">H", size)
        else:
            head = bytes([0x80 | kind, 127]) + struct.pack(">Q", size)
        with self._lock:
            if self._torn:
                raise BrokenPipeError
            self._torn = True
            self._connection.sendall(head + body)
            self._torn = False

    def receive(self) -> tuple[int, bytes] | None:
        """The next message: its kind and what is in it; None where the client has closed, or nothing is wanted here any more."""
        kind, whole = 0, b""
        while True:
            first = self._exactly(2)
            if first is None:
                return None
            size = first[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8) or b"")
            if size > _MOST or not first[1] & 0x80:
                raise ValueError("no frame of a client's")
            mask, body = self._exactly(4), self._exactly(size)
            if mask is None or body is None or first[0] & 0xF == _CLOSE:
                return None
            plain = (int.from_bytes(body) ^ int.from_bytes((mask * (size // 4 + 1))[:size])).to_bytes(size)
            if first[0] & 0xF > _CLOSE:
                return first[0] & 0xF, plain
            kind, whole = first[0] & 0xF or kind, whole + plain
            if first[0] & 0x80:
                return kind, whole

    def _exactly(self, size: int) -> bytes | None:
        while len(self._kept) < size:
            if not self._more():
                return None
        found, self._kept = self._kept[:size], self._kept[size:]
        return found

    def _more(self) -> bool:
        """Wait for bytes; False where none will come."""
        waiting = self._connection.pending() if isinstance(self._connection, ssl.SSLSocket) else 0
        while not waiting and not select.select([self._connection], [], [], _LOOK_S)[0]:
            if self.over.is_set() or not self._wanted():
                return False
        with self._lock:
            found = self._connection.recv(_CHUNK)
        self._kept += found
        return bool(found)
