"""How lines of the journal are sealed: each sum covers the sum before it, so that no line of another file fits. Knows no entry.

A sealed line is `sum text` and a newline. Its sum is over the sum of the line before and its own text; what the first version
wrote (a CRC of each line alone) is still read, and what is sealed behind it covers all of it.
"""

from __future__ import annotations

import hashlib
import zlib

SUM = 32  # hexadecimal digits: 128 bits of SHA-256
_OLD_SUM = 8


class Chain:
    """The running sum of one journal, from its first byte on."""

    def __init__(self, before: bytes = b"") -> None:
        """`before`: all that stands before the first sealed line (of the first version), else nothing."""
        self._sum = _digest(b"", before) if before else b""

    @classmethod
    def after(cls, sum_: str) -> Chain:
        """The chain as it stands behind a line with this sum ("" for none)."""
        chain = cls()
        chain._sum = sum_.encode("ascii", "replace")
        return chain

    @property
    def sum(self) -> str:
        """The sum of the last line, "" before the first one."""
        return self._sum.decode("ascii")

    def seal(self, text: bytes) -> bytes:
        """The line for this text, with its newline; the next one covers it."""
        self._sum = _digest(self._sum, text)
        return self._sum + b" " + text + b"\n"

    def open(self, line: bytes) -> bytes | None:
        """The text of the next line (without its newline), or None when its sum does not fit; moves on when it does."""
        found = _digest(self._sum, line[SUM + 1 :])
        if line[: SUM + 1] != found + b" ":
            return None
        self._sum = found
        return line[SUM + 1 :]

    def fits(self, line: bytes) -> bool:
        """Whether this would be the next line; does not move on."""
        return line[: SUM + 1] == _digest(self._sum, line[SUM + 1 :]) + b" "


def open_old(line: bytes) -> bytes | None:
    """The text of a line of the first version, or None when its sum does not fit or it is no such line."""
    text = line[_OLD_SUM + 1 :]
    return text if line[: _OLD_SUM + 1] == b"%08x " % zlib.crc32(text) else None


def _digest(before: bytes, text: bytes) -> bytes:
    return hashlib.sha256(before + b" " + text).hexdigest()[:SUM].encode()
