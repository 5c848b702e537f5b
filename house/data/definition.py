"""Which schedules VolSync's definition of its kinds lets through: an API server refuses the others, whatever its
controller would take.

An API server looks for the definition's pattern in a time that grows with the text; Python, which goes back at each choice, would
take a minute for a list of all minutes before a `MON`.
"""

from __future__ import annotations

import re

PATTERN = r"^(@(annually|yearly|monthly|weekly|daily|hourly))|((((\d+,)*\d+|(\d+(\/|-)\d+)|\*(\/\d+)?)\s?){5})$"
"""As VolSync 0.16 has it; what is below finds what this finds."""
_WORDS = ("@annually", "@yearly", "@monthly", "@weekly", "@daily", "@hourly")
_LIST, _RANGE = re.compile(r"(?:[0-9]+,)*[0-9]+"), re.compile(r"[0-9]+[/-][0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_FIELDS = 5
_LONGEST = 512
"""Characters; one that is longer nobody has written, and is let through."""


def taken_by_definition(schedule: str) -> bool:
    """Whether the pattern is found in it. It is not bound to the beginning, and no blank need part two fields: so it is written."""
    if schedule.startswith(_WORDS) or len(schedule) > _LONGEST:
        return True
    ends = [_ends(schedule, at) for at in range(len(schedule))]
    reach = {len(schedule)}
    for _ in range(_FIELDS):
        reach = {at for at, behind in enumerate(ends) if not reach.isdisjoint(behind)}
    return bool(reach)


def _ends(text: str, at: int) -> set[int]:
    """Where a field that begins there, with the blank behind it, may end."""
    ends: set[int] = set()
    if text[at] == "*":
        ends.add(at + 1)
        if (step := _DIGITS.match(text, at + 2)) is not None and text[at + 1] == "/":
            ends.update(range(at + 3, step.end() + 1))
    if (found := _LIST.match(text, at)) is not None:
        ends.update(end for end in range(at + 1, found.end() + 1) if text[end - 1] != ",")
    if (found := _RANGE.match(text, at)) is not None:
        first = _DIGITS.match(text, at)
        assert first is not None
        ends.update(range(first.end() + 2, found.end() + 1))
    return ends | {end + 1 for end in ends if end < len(text) and text[end] in " \t\n\f\r"}
