"""How far apart the times of a cron schedule lie at most, in seconds. Reads five fields and the usual @words, and six with seconds.

Small, because no more is needed of it than the greatest gap; VolSync reads schedules with robfig/cron's standard parser, and
CloudNativePG with the one that begins with seconds and may leave the weekday out. A time zone moves all times alike: none counts.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from house.grammar import number_of

_DAY_S = 86400.0
_WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_NAMES = {
    name: number for names in (
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ) for number, name in enumerate(names, start=1)
} | {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}  # fmt: skip
_SECONDS = (0, 59)
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_ZONES = ("tz=", "cron_tz=")
_FIRST = date(2024, 1, 1)
_DAYS = 366 * 5  # a leap day's schedule fires once in four years


def greatest_gap(schedule: str, *, seconds: bool = False) -> float | None:
    """Seconds between two firings that lie farthest apart; None for what is no schedule, or one that does not fire twice.

    With `seconds` the first field is the second, and the weekday may be missing.
    """
    text = schedule.strip().lower()
    if text.startswith("@every "):
        return _every(text.removeprefix("@every "))
    fields = _fields(text, seconds=seconds)
    bounds = (_SECONDS, *_BOUNDS)
    if len(fields) != len(bounds):
        return None
    sets = [_field(field, *within) for field, within in zip(fields, bounds, strict=True)]
    if any(not values for values in sets):
        return None
    parts, minutes, hours, days, months, weekdays = sets
    weekdays = {day % 7 for day in weekdays}
    times = sorted(hour * 3600.0 + minute * 60.0 + second for hour in hours for minute in minutes for second in parts)
    within = max((after - before for before, after in pairwise(times)), default=0.0)
    # As in robfig/cron: where both the day of the month and the weekday are given, either of them is enough.
    either = not _is_any(fields[3]) and not _is_any(fields[5])
    firing = [n for n in range(_DAYS) if _fires(_FIRST + timedelta(days=n), days, months, weekdays, either=either)]
    if len(firing) < 2:
        return None
    apart = max(after - before for before, after in pairwise(firing))
    return max(within, apart * _DAY_S - times[-1] + times[0])


def _fields(text: str, *, seconds: bool) -> list[str]:
    """The six fields of a schedule, the second first; fewer or more where it is none."""
    if text in _WORDS:
        return ["0", *_WORDS[text].split()]
    fields = text.split()
    if fields and fields[0].startswith(_ZONES):
        fields = fields[1:]
    if not seconds:
        return ["0", *fields]
    return [*fields, "*"] if len(fields) == len(_BOUNDS) else fields


def _fires(day: date, days: set[int], months: set[int], weekdays: set[int], *, either: bool) -> bool:
    if day.month not in months:
        return False
    by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
    return by_day or by_weekday if either else by_day and by_weekday


def _is_any(text: str) -> bool:
    """Whether a field leaves the day open; every second day, say, does not."""
    return any(span in ("*", "?") and step in ("", "1") for span, _, step in (part.partition("/") for part in text.split(",")))


def _field(text: str, lowest: int, highest: int) -> set[int]:
    """The values that a field names; none at all when it is no field."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not number_of(step, 10_000):
            return set()
        if span in ("*", "?"):
            first, last = lowest, highest
        else:
            low, dash, high = span.partition("-")
            named = [_NAMES.get(word, _numbered(word)) for word in ([low, high] if dash else [low])]
            first, last = named[0], named[-1] if dash or not slash else highest
        if not lowest <= first <= last <= highest:
            return set()
        found |= set(range(first, last + 1, int(step) if slash else 1))
    return found


def _numbered(word: str) -> int:
    found = number_of(word, 10_000)
    return -1 if found is None else found


def _every(text: str) -> float | None:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    total, number = 0.0, ""
    for letter in text:
        if (letter.isascii() and letter.isdigit()) or letter == ".":
            number += letter
        elif letter in units and number:
            if number.count(".") > 1 or number == "." or len(number) > 12:
                return None
            total, number = total + float(number) * units[letter], ""
        else:
            return None
    return total or None
