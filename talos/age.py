"""How long ago, in the words of a consent. Knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """A length of time as a person says it: minutes below two hours, then hours, then days."""
    minutes = max(0.0, seconds) / 60
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def ago(at: float, now: float) -> str:
    """When that was, in UTC, and how long ago; both in epoch seconds. 0.0: nobody says when."""
    if not at:
        return "a time that it does not say"
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{when}, {span(now - at)} ago" if at <= now else f"{when}, which is yet to come"
