"""A NAS that gave no answer to an audit, for people and as JSON. An audit starts none, and says so. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster.storage.nas.showing import Away
from engine.text.words import some

_NAMED = 8


def away_lines(found: Iterable[Away]) -> Iterator[str]:
    """What it is, whose backups wait for it, what helps."""
    for one in found:
        yield f"NAS {one.nas} {one.told}"
        yield f"    backups that wait for it: {some(one.waiting, _NAMED)}"
        yield f"    an audit starts nothing: {one.hint}" if one.hint else "    an audit starts nothing"


def away_rows(found: Iterable[Away]) -> list[dict[str, object]]:
    """The same, whole."""
    return [{"nas": one.nas, "told": one.told, "hint": one.hint, "waiting": list(one.waiting)} for one in found]
