"""Numbers with their nouns, as a person writes them: "1 node", "2 nodes"; and long lists cut short. Knows no sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def number(count: int, one: str, more: str = "") -> str:
    """`count` and its noun: `one` of it, or `more` ("" for `one` with an s)."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {more or one + 's'}"


def agreed(names: Sequence[str], one: str, more: str, between: str = ", ") -> str:
    """All these names and what is said of them, in the number that they have: "a is off", "a, b are off"."""
    return f"{between.join(names)} {one if len(names) == 1 else more}"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of these names, `most` at the most, and how many there are besides: "a, b, c and 2 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def last_lines(said: str | Iterable[str], most: int = 1, *, noise: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The last lines that say anything, `most` at the most and in their order: the last one of all is often blank, or tells how to
    ask for more. `noise`: how lines begin, in lower case, that say nothing."""
    lines = (line.strip() for line in (said.splitlines() if isinstance(said, str) else said))
    return tuple([line for line in lines if line and not line.lower().startswith(noise)][-most:])
