"""What a person reads of one verb: sentences and tables on a terminal, or the same in a pipe. Decides nothing.

On a terminal lines are folded to its width, and a simulated house is named once on top and once at the end. In a pipe nothing
is folded or padded, and each line says that it is simulated: it may be read alone.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Literal, TextIO

from rich.console import Console
from rich.text import Text

from console.views.folding import fold
from console.views.rows import Rows
from engine.secrets import told

MARK = "[simulated] "
FOR_EVER = 1 << 16
"""As wide as no line is: rich folds nothing in a pipe."""


class Marked(io.TextIOBase):
    """A stream in front of another that begins each line with a mark."""

    def __init__(self, out: TextIO, mark: str) -> None:
        super().__init__()
        self._out = out
        self._mark = mark
        self._within = False

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here: rich asks which signs it may draw
        """That of the stream behind."""
        return getattr(self._out, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Hand on, each line begun with the mark; an empty line stays empty."""
        for line in text.splitlines(keepends=True):
            marked = "" if self._within or line == "\n" else self._mark
            self._out.write(marked + line)
            self._within = not line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._out.flush()

    def writable(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class Kind:
    """What is not real in what is told: `mark` begins each line in a pipe, `banner` stands on top and at the end of a screen."""

    mark: str
    banner: str


def simulated(house: str) -> Kind:
    """A house of the lab."""
    return Kind(MARK, f"SIMULATED: the house {house} is the lab's; nothing real is touched.")


class Page:
    """Where a verb's words go. `kind` says what is not real in them, None for a real house; `silent` for JSON alone."""

    def __init__(self, out: TextIO, kind: Kind | None = None, silent: bool = False) -> None:
        terminal = out.isatty() and not silent
        marked = Marked(out, kind.mark) if kind is not None and not terminal else out
        self.out: TextIO = io.StringIO() if silent else marked  # type: ignore[assignment]  # a TextIOBase with all that is used of it
        width = None if terminal else FOR_EVER
        # Who does not say which terminal it is cannot be told where to draw; rich would take it for one that knows colours.
        self._named = bool(os.environ.get("TERM"))
        colours: Literal["auto"] | None = "auto" if self._named else None
        self.console = Console(file=self.out, highlight=False, soft_wrap=True, width=width, color_system=colours)
        self._kind = kind
        self._begun = False

    @property
    def live(self) -> bool:
        """Whether lines that were drawn can be drawn anew: not in a pipe, nor on a dumb terminal or one without a name."""
        return self._named and self.console.is_terminal and not self.console.is_dumb_terminal

    @property
    def width(self) -> int | None:
        """Columns, None for a pipe: as wide as a line is long."""
        return self.console.width if self.console.is_terminal else None

    def say(self, text: str = "", style: str = "", hang: int | None = None) -> None:
        """A sentence, or a few lines; a continuation hangs under its first line, or `hang` columns in."""
        self.begin()
        for line in told(text).split("\n"):
            for part in fold(line, self.width, hang):
                self.console.print(Text(part, style))

    def show(self, rows: Rows) -> None:
        """A table."""
        self.begin()
        for line in rows.lines(self.width):
            self.console.print(line)

    def begin(self) -> None:
        """On top of a screen, once: what is not real in all that follows. In a pipe each line says so."""
        if not self._begun:
            self._begun = True
            self._tell_kind()

    def end(self) -> None:
        """At the end of what was begun: the same."""
        if self._begun:
            self._tell_kind()
            self._begun = False

    def banner(self) -> None:
        """What is not real, wherever it is read."""
        self._begun = True
        for part in fold(self._kind.banner, self.width) if self._kind is not None else ():
            self.console.print(Text(part, "bold yellow"))

    def _tell_kind(self) -> None:
        if self.console.is_terminal:
            self.banner()
