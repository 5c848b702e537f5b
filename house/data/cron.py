"""How far apart the times of a cron schedule lie at most, in seconds. Reads five fields and the usual @words, and six with seconds.

Small, because no more is needed of it than the greatest gap; VolSync reads schedules with robfig/cron's standard parser, and
CloudNativePG with the one that begins with seconds and may leave the weekday out. A time zone moves all times alike: none counts.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from engine.text.words import number
from house.files.grammar import number_of

_DAY_S = 86400.0
_WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {
    "month": {name: number for number, name in enumerate(_MONTHS, start=1)},
    "weekday": {name: number for number, name in enumerate(_WEEKDAYS)},
}
_BOUNDS = {
    "second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day of the month": (1, 31), "month": (1, 12), "weekday": (0, 7),
}  # fmt: skip
_ZONES = ("tz=", "cron_tz=")
# As Go writes durations.
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_FIRST = date(2024, 1, 1)
_DAYS = 366 * 5  # a leap day's schedule fires once in four years


@lru_cache(maxsize=1024)  # a house has hundreds of sources, and a handful of schedules
def greatest_gap(schedule: str, *, seconds: bool = False) -> float | None:
    """Seconds between two firings that lie farthest apart; None for what is no schedule, or one that does not fire twice.

    With `seconds` the first field is the second, and the weekday may be missing.
    """
    text = _zoneless(schedule).lower()
    if text.startswith("@every "):
        return _every(text.removeprefix("@every "))
    fields = _fields(text, seconds=seconds)
    if len(fields) != len(_BOUNDS):
        return None
    sets = [_field(field, name) for field, name in zip(fields, _BOUNDS, strict=True)]
    if any(not values for values in sets):
        return None
    parts, minutes, hours, days, months, weekdays = sets
    weekdays = {day % 7 for day in weekdays}
    times = sorted(hour * 3600.0 + minute * 60.0 + second for hour in hours for minute in minutes for second in parts)
    within = max((after - before for before, after in pairwise(times)), default=0.0)
    # As in robfig/cron: where both the day of the month and the weekday are given, either of them is enough. Every second day is
    # given to its third version, which VolSync has, and left open to the first, which CloudNativePG has.
    either = not any(_is_any(fields[day], stepped=seconds) for day in (3, 5))
    firing = [n for n in range(_DAYS) if _fires(_FIRST + timedelta(days=n), days, months, weekdays, either=either)]
    if len(firing) < 2:
        return None
    apart = max(after - before for before, after in pairwise(firing))
    return max(within, apart * _DAY_S - times[-1] + times[0])


def fault(schedule: str, *, seconds: bool = False) -> str:
    """Why the controller that reads this schedule refuses it, or never fires by it: "has 4 fields, not 5"; "" where it takes it,
    where there is none, and where a part of it is a variable that nobody knows. `seconds` as in `greatest_gap`."""
    text = _zoneless(schedule)
    if not schedule.strip() or "${" in text:
        return ""
    if text.startswith("@"):
        known = text in _WORDS or (text.startswith("@every ") and _DURATION.fullmatch(text.removeprefix("@every ")))
        return "" if known else "is no word of cron"
    given = len(text.split())
    fields = _fields(text.lower(), seconds=seconds)
    if len(fields) != len(_BOUNDS):
        return f"has {number(given, 'field')}, not {'5 or 6' if seconds else '5'}"
    written = _fields(text, seconds=seconds)
    for field, shown, name in zip(fields, written, _BOUNDS, strict=True):
        values = _field(field, name)
        if not values or (name == "weekday" and 7 in values):  # its Sunday is 0 alone
            return f"has {shown} as its {name}"
    return "" if greatest_gap(text, seconds=seconds) is not None else "never comes"


def _zoneless(schedule: str) -> str:
    """The schedule without a time zone before it."""
    first, _, rest = schedule.strip().partition(" ")
    return rest.strip() if first.lower().startswith(_ZONES) else schedule.strip()


def _fields(text: str, *, seconds: bool) -> list[str]:
    """The six fields of a schedule, the second first; fewer or more where it is none."""
    if text in _WORDS:
        return ["0", *_WORDS[text].split()]
    fields = text.split()
    if not seconds:
        return ["0", *fields]
    return [*fields, "*"] if len(fields) == len(_BOUNDS) - 1 else fields


def _fires(day: date, days: set[int], months: set[int], weekdays: set[int], *, either: bool) -> bool:
    if day.month not in months:
        return False
    by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
    return by_day or by_weekday if either else by_day and by_weekday


def _is_any(text: str, *, stepped: bool) -> bool:
    """Whether a field leaves the day open; with `stepped` so does every second day, say."""
    parts = [part.partition("/") for part in text.split(",")]
    return any(span in ("*", "?") and (stepped or step in ("", "1")) for span, _, step in parts)


def _field(text: str, field: str) -> set[int]:
    """The values that a field of this name names; none at all when it is no field."""
    (lowest, highest), names = _BOUNDS[field], _NAMES.get(field, {})
    open_end = highest - 1 if field == "weekday" else highest  # Sunday is 0 where it is not named
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        span, slash, step = part.partition("/")
        if slash and not number_of(step, 10_000):
            return set()
        if span in ("*", "?"):
            first, last = lowest, open_end
        else:
            low, dash, high = span.partition("-")
            named = [names.get(word, _numbered(word)) for word in ([low, high] if dash else [low])]
            first, last = named[0], named[-1] if dash or not slash else open_end
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
