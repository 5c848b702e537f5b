"""Numbers with their nouns, as a person writes them: "1 node", "2 nodes". Knows no sentence."""

from __future__ import annotations


def number(count: int, one: str, more: str = "") -> str:
    """`count` and its noun: `one` of it, or `more` ("" for `one` with an s)."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {more or one + 's'}"
