"""How long ago, in the words of a consent. Knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.text.ages import age_of
from engine.text.lengths import span


def ago(at: float, now: float) -> str:
    """When that was, in UTC, and how long ago; both in epoch seconds. 0.0: nobody says when."""
    if not at:
        return "a time that it does not say"
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{when}, which is yet to come" if (age := age_of(at, now)) is None else f"{when}, {span(age)} ago"
