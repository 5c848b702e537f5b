"""One run's lines out of a journal, and the proof that they stand in it as they were written. Knows no entry's meaning.

A line's sum covers the sum before it (chain.py). Who has the sum before a run's first line and the lines can tell whether one of
them was changed, left out or put in, without the rest of the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.sealed.chain import SUM, Chain
from engine.secrets import redact
from engine.text.jsontext import read

WITHHELD = b" withheld"
"""What stands behind the sum of a line that holds what has become a secret since it was written."""


@dataclass(frozen=True)
class Excerpt:
    """The sealed lines of one run, each without its newline. `before` is the sum of the line before them, "" for none.

    A line that must not leave is its sum and WITHHELD: what follows is chained to that sum.
    """

    before: str = ""
    lines: tuple[bytes, ...] = ()

    @property
    def end(self) -> str:
        """The sum of the last line, or what stood before where there is none."""
        return self.lines[-1][:SUM].decode("ascii", "replace") if self.lines else self.before

    @property
    def withheld(self) -> int:
        """How many lines do not say what they hold."""
        return sum(line[SUM:] == WITHHELD for line in self.lines)

    def broken(self) -> int:
        """The place, from 1, of the first line that is not what was written there; 0 when all are."""
        chain = Chain.after(self.before)
        for number, line in enumerate(self.lines, start=1):
            if line[SUM:] == WITHHELD:
                chain = Chain.after(line[:SUM].decode("ascii", "replace"))
            elif chain.open(line) is None:
                return number
        return 0


def excerpt(raw: bytes, run: str) -> Excerpt:
    """The lines of this run in a journal's bytes, which were checked before. None of the run: an empty excerpt."""
    last, found, at, start = b"", [], 0, 0
    for line in raw[: raw.rfind(b"\n") + 1].split(b"\n")[:-1]:
        if _sealed(line) and read(line[SUM + 1 :])["run"] == run:
            found.append(line)
        elif not found:
            last, start = line, at + len(line) + 1
        at += len(line) + 1
    if last and not _sealed(last):  # of the first version: the first sealed line covers the bytes of all that stands before it
        return Excerpt(Chain(raw[:start]).sum, tuple(map(_leaving, found)))
    return Excerpt(last[:SUM].decode(), tuple(map(_leaving, found)))


def _sealed(line: bytes) -> bool:
    return line[SUM : SUM + 1] == b" "


def _leaving(line: bytes) -> bytes:
    text = line.decode("ascii", "replace")
    return line if redact(text) == text else line[:SUM] + WITHHELD

