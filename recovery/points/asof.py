"""The moment a restore goes back to, as a person writes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from engine.errors import SettingsInvalid
from engine.text.ages import to_come
from recovery.points.former import stamp

_LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""In another zone a year of four digits may end behind the calendar."""


def as_time(text: str) -> float:
    """RFC 3339 (a time without a zone is taken as UTC) to seconds since the epoch. Raises SettingsInvalid."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsInvalid(f"--as-of {text} is no time; right would be: 2026-11-24T03:00:00Z") from None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if seconds > _LAST:
        raise SettingsInvalid(f"--as-of {text} is no time; right would be: 2026-11-24T03:00:00Z")
    if seconds <= 0:  # which would read as: now
        raise SettingsInvalid(f"--as-of {text} is before the first backup that ever was; right would be: 2026-11-24T03:00:00Z")
    return seconds


def moment_of(text: str, now: float) -> float:
    """What `--as-of` names, 0.0 where it was not given. Raises SettingsInvalid, also for what is yet to come."""
    seconds = as_time(text) if text else 0.0
    refuse_to_come(text, seconds, now)
    return seconds


def refuse_to_come(text: str, seconds: float, now: float, dated: Collection[float] = ()) -> None:
    """SettingsInvalid for what is yet to come by this machine's clock: the newest would be taken for it, and nobody told that a
    digit is wrong, or the clock. One of the times (epoch seconds) that snapshots are `dated` with is that snapshot's name."""
    if to_come(seconds, now) and int(seconds) not in map(int, dated):
        hint = f"this machine's clock says {stamp(now)}; without --as-of the newest is taken"
        raise SettingsInvalid(f"--as-of {text} is later than now: a former state is of the past", hint=hint)
