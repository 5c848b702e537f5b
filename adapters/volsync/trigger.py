"""Names of manual triggers. VolSync runs once for each that differs from the one that stood there when its last run ended."""

from __future__ import annotations

from house.files.grammar import number_of

OURS = "blackstart-"
"""What ours begin with, and nobody else's."""

_AGAIN = "-again-"


def numbered(wanted: str, last: str) -> str:
    """The trigger to set after `last`: `wanted`, or with the next number when the last run was of it already."""
    if not is_of(last, wanted):
        return wanted
    number = number_of(last[len(wanted) + len(_AGAIN) :])
    return f"{wanted}{_AGAIN}{1 if number is None else number + 1}"


def is_of(trigger: str, wanted: str) -> bool:
    """Whether it is `wanted`, or `wanted` with a number."""
    return trigger == wanted or trigger.startswith(wanted + _AGAIN)


CHECKPOINT = f"{OURS}checkpoint"
"""On a source: its last run was of a claim at rest, and stays so for as long as this is on it. Its schedule is off meanwhile."""
VOID = f"{OURS}void"
"""In the place of that where no schedule can take it: what was saved by it is not the claim's data any more."""
