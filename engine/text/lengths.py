"""Lengths of time as a person reads them, all in one place: how old, how long it took, how long yet. Knows no clock and no date."""

from __future__ import annotations

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def span(seconds: float) -> str:
    """An age or a limit, in one unit: "90 s", "14 min", "3.5 h", "4.2 days". Less than none is none."""
    seconds = max(0.0, seconds)
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    return f"{seconds / _HOUR_S:.1f} h" if seconds < 2 * _DAY_S else f"{seconds / _DAY_S:.1f} days"


def apart(seconds: float, after: str, before: str, level: str) -> str:
    """How far one time is from another, with what it is then: "14 min later than", and `level` alone where no second is between."""
    words = after if seconds > 0 else before
    return level if abs(seconds) < 1 else f"{span(abs(seconds))} {words}"


def duration(seconds: float | None) -> str:
    """What was measured: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"; "unknown" for None."""
    if seconds is None:
        return "unknown"
    if abs(seconds) < 10:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, size, below, small in (("d", _DAY_S, _HOUR_S, "h"), ("h", _HOUR_S, _MINUTE_S, "min"), ("min", _MINUTE_S, 1, "s")):
        if abs(whole) >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def ticking(seconds: float) -> str:
    """What is looked at while it grows, so that it keeps its width: "12 s", "3 min 05 s", "2 h 04 min"."""
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"


def about(seconds: float) -> str:
    """A guess, no more exact than it is: "about 25 s", "about 12 min", "about 1.5 h"."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    return f"about {round(seconds / _MINUTE_S)} min" if seconds < 90 * _MINUTE_S else f"about {seconds / _HOUR_S:.1f} h"
