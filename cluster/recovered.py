"""Whether a database is what its archive promised: who it is, which timeline it came along, and how far. Asks nobody.

An operator calls a database healthy that is empty, that stopped too early or came along another timeline; none of that does it see.
"""

from __future__ import annotations

import time

from adapters.archives.bases import lsn_text
from adapters.archives.results import RecoveryPoint
from adapters.cnpg.results import Reached

_TO_THE_END = "no recovery target"


def differences(point: RecoveryPoint, found: Reached) -> tuple[str, ...]:
    """In what it is not what was promised; () for nothing."""
    if point.system_id and found.system_id != point.system_id:
        return (f"it is another database: its system identifier is {found.system_id}, the base backup's {point.system_id}",)
    if found.recovering:
        return (f"it still replays its log, and is at {lsn_text(found.lsn)}",)
    if not found.turns:
        return (f"it was never recovered: it is on timeline {found.timeline}, which has no history",)
    left = next((turn for turn in found.turns if turn.timeline == point.timeline), None)
    if left is None:
        ways = ", ".join(str(turn.timeline) for turn in found.turns)
        return (f"it came along timeline {ways}, and its archive ends on timeline {point.timeline}",)
    wrong = []
    if left.lsn <= point.lsn:
        promised = f"its archive holds segment {point.segment}, which begins at {lsn_text(point.lsn)}"
        wrong.append(f"its log was replayed up to {lsn_text(left.lsn)} alone, and {promised}")
    to_the_end = _TO_THE_END in left.reason
    if point.target and to_the_end:
        wrong.append(f"its log was replayed to the end, and the restore was to stop at {utc(point.target)}")
    if not point.target and left.reason and not to_the_end:
        wrong.append(f"it stopped at a target of its own: {left.reason}")
    return tuple(wrong)


def reached_words(point: RecoveryPoint, found: Reached) -> str:
    """How far it came, for a person; only of one without differences."""
    left = next(turn for turn in found.turns if turn.timeline == point.timeline)
    why = left.reason or "no reason told"
    return f"timeline {left.timeline} up to {lsn_text(left.lsn)} ({why}), now on timeline {found.timeline}"


def utc(seconds: float) -> str:
    """Seconds since the epoch as a time for people and for PostgreSQL, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))
