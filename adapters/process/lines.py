"""Cuts a stream of bytes into lines, for programs that print one JSON object per line. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable


class Lines:
    """Cuts a stream of bytes into lines for `take`; a line that is not UTF-8 is a ValueError."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """The next bytes of the stream."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                self._take(line.decode())

    def end(self) -> None:
        """The stream is over; what is left without a newline is a line as well."""
        if self._rest.strip():
            self._take(self._rest.decode())
        self._rest = b""
