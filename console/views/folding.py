"""Text that fits a terminal: broken between words, continued under a hanging indent. Knows no meaning.

A name, a path or an address is never cut: one that is longer than the room is broken behind a `/`, and where it has none it
stands out whole, for a person to copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

HANGING = 2
_WORDS = re.compile(r"(\s*)(\S+)")
_PIECES = re.compile(r"[^/]*/|[^/]+")


def fold(text: str, width: int | None, hang: int | None = None) -> list[str]:
    """The lines of `text`, none wider than `width` columns (None: a pipe, where nothing is folded) but for one long word.

    The first line keeps the text's own indent; those below it stand `hang` columns in, two more than the first by default.
    """
    if width is None or cell_len(text) <= width:
        return [text]
    indent = len(text) - len(text.lstrip(" "))
    hang = indent + HANGING if hang is None else hang
    lines, line = [], " " * indent
    for gap, word in _words(text.lstrip(" "), width - hang):
        if line.strip() and cell_len(line + gap + word) > width:
            lines.append(line)
            line, gap = " " * hang, ""
        line += gap + word
    return [*lines, line]


def _words(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Each word with the blanks before it; a word that is wider than the room comes in pieces, with none between them."""
    for gap, word in _WORDS.findall(text):
        if cell_len(word) <= room:
            yield gap, word
            continue
        for number, piece in enumerate(_PIECES.findall(word)):
            yield "" if number else gap, piece
