"""Where text goes, and goes on going when nobody takes it: a pipe whose reader left, a full disk. Knows no view.

A run that changes a house must not end, nor be called a bug, because `| head` had seen enough or a log's disk is full. That
something is lost is said once, on stderr.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


class Outlet(io.TextIOBase):
    """A stream round another (None: there is none). The first write that fails is the last one that is tried.

    `reader_left` says that it was a pipe whose other end is closed. `name` is what people are told it is; "" for stderr
    itself, of which nobody can be told. A sign that the stream's encoding lacks is written as its number.
    """

    def __init__(self, stream: TextIO | None, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self.reader_left = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here: rich asks which signs it may draw
        """The encoding of the stream behind."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what can be written; answers the length of `text` in any case."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def writable(self) -> bool:
        """Always: what is lost is taken as well."""
        return True

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream behind. OSError when there is none."""
        if self._stream is None:
            raise OSError("nobody takes this text")
        return self._stream.fileno()

    def _lose(self, error: OSError) -> None:
        with suppress(OSError):  # there is no descriptor behind
            # What is still buffered must fail nobody who closes the stream, Python's own end included.
            descriptor, nothing = self.fileno(), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, descriptor)
            os.close(nothing)
        self._stream = None
        self.reader_left = isinstance(error, BrokenPipeError)
        if self._name:
            reason = error.strerror or type(error).__name__
            sys.stderr.write(f"{self._name} cannot be written any more ({reason}): what follows is not in it.\n")


def fill_gaps() -> None:
    """Put /dev/null where stdin, stdout or stderr was closed before we began (`2>&-`): the next file that is opened would take that
    number, and what a library or Python's own last words print there would end up in a journal."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free: this one


@contextmanager
def outlets() -> Iterator[None]:
    """stdout and stderr as outlets for the length of the block."""
    fill_gaps()
    before = sys.stdout, sys.stderr
    now = Outlet(sys.stdout, "standard output"), Outlet(sys.stderr, "")
    sys.stdout, sys.stderr = now
    try:
        yield
    finally:
        for outlet in now:
            outlet.flush()
        sys.stdout, sys.stderr = before
