"""How old a thing is by a date that another clock gave it: one comparison, for whoever makes it by hand forgets the date that is
yet to come, and calls young what nobody knows the age of. Knows no clock of its own."""

from __future__ import annotations

from engine.text.lengths import span

SKEW_S = 300.0
"""How far another machine's clock may be ahead of ours, in seconds: what is dated later was not made yet."""


def age_of(at: float, now: float) -> float | None:
    """Seconds from `at` to `now` (both epoch seconds), never less than none; None for a date that is yet to come, by more than
    clocks differ: nobody knows how old that is, or which of the clocks is wrong."""
    return None if to_come(at, now) else max(0.0, now - at)


def to_come(at: float, now: float) -> bool:
    """Whether it is dated later than any clock can be wrong (both epoch seconds): the date says nothing of when it was made."""
    return at > now + SKEW_S


def within(at: float, now: float, seconds: float) -> bool:
    """Whether it is known to be no older than so many seconds: False for a date that is yet to come."""
    return (age := age_of(at, now)) is not None and age <= seconds


def older(at: float, now: float, seconds: float) -> bool:
    """Whether it is known to be older than so many seconds: False for a date that is yet to come."""
    return (age := age_of(at, now)) is not None and age > seconds


def ago(at: float, now: float) -> str:
    """How long ago that is, for a sentence: "14 min ago"."""
    return "at a time that is yet to come" if (age := age_of(at, now)) is None else f"{span(age)} ago"


def lasted(at: float, now: float, unsaid: str) -> str:
    """How long that has lasted, for a screen; `unsaid` for 0.0, which is no date."""
    age = age_of(at, now)
    return unsaid if not at else "yet to come: a clock is wrong" if age is None else span(age)


def clock_set(seconds: float) -> str:
    """What there is to say of a clock that has moved so much more than time passed; "" for what clocks do by themselves."""
    if abs(seconds) <= SKEW_S:
        return ""
    way = "ahead" if seconds > 0 else "back"
    return f"this machine's clock was set {way} by {span(abs(seconds))} while this ran: the times that it noted do not fit together"
