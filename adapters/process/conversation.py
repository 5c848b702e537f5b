"""One run's talk with its minder: descriptors handed over, greeting, order, stdin fed, output read, outcome heard.

Knows no adapter and no error of ours; a minder that says nothing more has `vanished`.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from engine.text.jsontext import an_object, read

_PIECE = 1 << 16
_STDERR_KEPT = 1 << 18
_DRAIN_S = 1.0
_BACKSTOP_S = 15.0
_GREETING_S = 30.0


@dataclass(frozen=True)
class Order:
    """What the minder is to start. `env` is complete and holds revealed secrets: an order is never shown or written."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    timeout_s: float
    grace_s: float
    shielded: bool


@dataclass(frozen=True)
class ProgramEnd:
    """How it ended: `exit`, `timeout`, `asked`, `failed` (never started), `vanished` (the minder was killed)."""

    reason: str
    code: int
    detail: str
    stderr: bytes
    errno: int = 0


class NoRoom(OSError):
    """The machine had no room for one more process."""


class Conversation:
    """The parent's ends of one run: a socket to the minder, and pipes to the program itself."""

    def __init__(self, on_close: Callable[[Conversation], None]) -> None:
        """Raises OSError when this process may open no more files; none stays open then."""
        self._on_close = on_close
        self._open: set[int] = set()
        self._run, self._theirs = socket.socketpair()
        try:
            self._stdin_theirs, self._stdin = self._pipe()
            self._out, self._out_theirs = self._pipe()
            self._err, self._err_theirs = self._pipe()
        except OSError:
            self._run.close()
            self._theirs.close()
            for descriptor in self._open:
                os.close(descriptor)
            raise
        self._heard = bytearray()
        self._talk = threading.Lock()
        self._ordered = self._unwanted = False
        self._stderr = bytearray()

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open.update(ends)
        return ends

    def hand_over(self, control: socket.socket) -> None:
        """Give the keeper the other ends. Raises OSError when it is gone."""
        ends = [self._theirs.fileno(), self._stdin_theirs, self._out_theirs, self._err_theirs]
        socket.send_fds(control, [b"run"], ends)
        self._theirs.close()
        for descriptor in ends[1:]:
            self._shut(descriptor)

    def greeting(self) -> tuple[int, str]:
        """Group id and start time of the minder that leads the group; the program is not started before `converse`.

        Raises NoRoom when the keeper could not fork, another OSError when nobody says so in time: it was killed or stopped.
        """
        self._run.settimeout(_GREETING_S)
        words = self._hear()
        self._run.settimeout(None)
        if words is None:
            raise ConnectionError("the minder ended before it said its name")
        if "failed" in words:
            raise NoRoom(int(words["errno"] or 0), str(words["failed"]))
        return int(words["group"]), str(words["start"])

    def converse(self, order: Order, stdin: bytes, sink: Callable[[bytes], object]) -> ProgramEnd:
        """Start the program and stay until its end; pieces of stdout go to `sink` in this thread."""
        with self._talk:
            if self._unwanted:
                return ProgramEnd("asked", 0, "", b"")
            self._ordered = True
            try:
                self._run.sendall(json.dumps(asdict(order)).encode() + b"\n")
            except OSError:
                return ProgramEnd("vanished", 0, "", b"")
        words = self._pump(stdin, sink, time.monotonic() + order.timeout_s + order.grace_s + _BACKSTOP_S)
        said = bytes(self._stderr)
        if words is None:
            return ProgramEnd("vanished", 0, "", said)
        if "failed" in words:
            return ProgramEnd("failed", 0, str(words["failed"]), said, int(words.get("errno") or 0))
        return ProgramEnd(str(words["reason"]), int(words["code"]), "", said)

    def end(self, grace_s: float) -> None:
        """Ask for the end of the group, from any thread; before the order was given nothing starts at all."""
        with self._talk:
            self._unwanted = True
            if not self._ordered:
                return
            try:
                self._run.sendall(json.dumps({"end": grace_s}).encode() + b"\n")
            except OSError:
                return  # it is over already

    def close(self) -> None:
        """Let go of everything; a minder that is still at it takes that for our death and ends its group."""
        self._on_close(self)
        with self._talk:
            self._run.close()
            self._theirs.close()
        for descriptor in tuple(self._open):
            self._shut(descriptor)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _pump(self, stdin: bytes, sink: Callable[[bytes], object], backstop: float) -> dict[str, Any] | None:
        """Move bytes until the minder spoke its last word (or is gone), then what is left in the pipes."""
        words: dict[str, Any] | None = None
        over = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._run, selectors.EVENT_READ)
            selector.register(self._out, selectors.EVENT_READ)
            selector.register(self._err, selectors.EVENT_READ)
            unsent = self._feed(memoryview(stdin), selector)
            deadline = backstop
            while True:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    return words
                for key, _ in ready:
                    if key.fd == self._stdin:
                        unsent = self._feed(unsent, selector)
                    elif key.fd == self._run.fileno():
                        words, over = self._hear(), True
                        selector.unregister(self._run)
                        deadline = time.monotonic() + _DRAIN_S
                    else:
                        self._take(key.fd, sink, selector)
                if over and not {self._out, self._err} & selector.get_map().keys():
                    return words

    def _take(self, descriptor: int, sink: Callable[[bytes], object], selector: selectors.BaseSelector) -> None:
        piece = os.read(descriptor, _PIECE)
        if not piece:
            selector.unregister(descriptor)
        elif descriptor == self._out:
            sink(piece)
        else:
            self._stderr += piece
            if len(self._stderr) > 2 * _STDERR_KEPT:
                del self._stderr[:-_STDERR_KEPT]

    def _feed(self, unsent: memoryview, selector: selectors.BaseSelector) -> memoryview:
        """Write what the pipe takes now; close it when all is written or nobody reads any more."""
        if unsent:
            os.set_blocking(self._stdin, False)
            try:
                unsent = unsent[os.write(self._stdin, unsent) :]
            except BlockingIOError:
                pass
            except BrokenPipeError:
                unsent = unsent[:0]
        known = self._stdin in selector.get_map()
        if unsent and not known:
            selector.register(self._stdin, selectors.EVENT_WRITE)
        if not unsent:
            if known:
                selector.unregister(self._stdin)
            self._shut(self._stdin)
        return unsent

    def _shut(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)

    def _hear(self) -> dict[str, Any] | None:
        while b"\n" not in self._heard:
            try:
                piece = self._run.recv(_PIECE)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._heard += piece
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard = bytearray(rest)
        return read(line, an_object)
