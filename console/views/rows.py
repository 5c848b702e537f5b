"""A table that fits where it is shown: columns on a wide terminal, a few lines a row on a narrow one, no padding in a pipe.

Names are never cut. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from rich.cells import cell_len
from rich.text import Text

from console.views.folding import fold

GAP = "  "
TOLD_ROOM = 30
"""So many columns at least are left for what is told beside a name; where they are not, it stands below the name."""
NAME_ROOM = 24
INDENT = 4


@dataclass(frozen=True)
class Row:
    """One thing: short `cells`, one of which is its name; what is `told` of it, which may be long; and lines `below` it.

    Each text of `below` has the style that it is drawn in.
    """

    cells: tuple[Text, ...]
    told: str = ""
    below: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows under `headers` (none: no line of headers). `name` is the place of the name among the cells, `right` of numbers.

    The last header, when there is one more than cells, stands above what is told.
    """

    rows: Sequence[Row]
    headers: tuple[str, ...] = ()
    name: int = 0
    right: frozenset[int] = frozenset()

    def lines(self, width: int | None) -> list[Text]:
        """What is to be printed on so many columns, None for a pipe."""
        if not self.rows:
            return []
        widths = self._widths()
        others = sum(widths) - widths[self.name] + len(GAP) * (len(widths) - 1)
        told = max(cell_len(row.told) for row in self.rows)
        room = min(TOLD_ROOM, told) + (len(GAP) if told else 0)
        if width is not None:
            left = width - others - room
            if left < min(NAME_ROOM, widths[self.name]):
                return list(chain.from_iterable(self._stacked(row, widths, width) for row in self.rows))
            widths[self.name] = min(widths[self.name], left)
        heading = [self._heading(widths)] if self.headers else []
        return heading + list(chain.from_iterable(self._beside(row, widths, width) for row in self.rows))

    def _widths(self) -> list[int]:
        """Of each column of cells."""
        columns = list(zip(*(row.cells for row in self.rows), strict=True))
        titles = self.headers[: len(columns)] or ("",) * len(columns)
        return [max(cell_len(title), *(cell.cell_len for cell in column)) for title, column in zip(titles, columns, strict=True)]

    def _heading(self, widths: list[int]) -> Text:
        cells = [self._padded(Text(title), widths, place) for place, title in enumerate(self.headers[: len(widths)])]
        return _bare(Text(GAP).join([*cells, *(Text(title) for title in self.headers[len(widths) :])]))

    def _padded(self, cell: Text, widths: list[int], place: int) -> Text:
        blanks = " " * max(0, widths[place] - cell.cell_len)
        return Text.assemble(blanks, cell) if place in self.right else Text.assemble(cell, blanks)

    def _beside(self, row: Row, widths: list[int], width: int | None) -> list[Text]:
        """Cells in their columns and what is told in the last one; below the name where the name takes more than its column."""
        lead = sum(widths) + len(GAP) * len(widths)
        first = Text(GAP).join(self._padded(cell, widths, place) for place, cell in enumerate(row.cells))
        told = fold(row.told, None if width is None else width - lead, 0) if row.told else []
        lines = [first]
        if told and first.cell_len + len(GAP) <= lead:
            lines = [Text.assemble(first, GAP, told.pop(0))]
        lines += [Text(" " * lead + line) for line in told]
        below = len(GAP) + (lead if width is None or width - lead >= TOLD_ROOM else INDENT)
        return [_bare(line) for line in [*lines, *_below(row, below, width)]]

    def _stacked(self, row: Row, widths: list[int], width: int) -> list[Text]:
        """The cells up to the name, then the others by their headers, then what is told, each on lines of its own."""
        head = [self._padded(cell, widths, place) for place, cell in enumerate(row.cells[: self.name])]
        named = row.cells[self.name]
        if self.name in self.right and self.headers:  # a number says nothing without what it counts
            named = Text.assemble(f"{self.headers[self.name]} ", named)
        lines = [Text(GAP).join([*head, named])]
        if head and lines[0].cell_len > width:
            below = fold(" " * INDENT + named.plain, width, INDENT)
            lines = [Text(GAP).join(head), *(Text(line, named.style) for line in below)]
        titled = zip(self.headers[self.name + 1 :], row.cells[self.name + 1 :], strict=False)
        pairs = ", ".join(f"{title} {cell.plain}" for title, cell in titled)
        lines += [Text(line) for text in (pairs, row.told) if text for line in fold(" " * INDENT + text, width, INDENT)]
        return [_bare(line) for line in [*lines, *_below(row, INDENT + len(GAP), width)]]


def _below(row: Row, indent: int, width: int | None) -> list[Text]:
    return [Text(line, text.style) for text in row.below for line in fold(" " * indent + text.plain, width)]


def _bare(line: Text) -> Text:
    line.rstrip()
    return line
