"""What earlier drills tell the next one: when each claim was last proven, how long it took, whose turn it is to be planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rehearsal.outcome import DrillOutcome, DrillVerdict


@dataclass(frozen=True)
class Past:
    """By claim key: when it last passed (epoch seconds), and how long its last drill took. `control`: what was planted last."""

    proven: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    control: str = ""


def past_of(outcomes: Iterable[DrillOutcome], *, simulated: bool) -> Past:
    """Fold them, in any order. A drill of the lab's proves nothing of a real house; one that is void proves nothing of any."""
    past, control = Past(), ""
    for one in sorted(outcomes, key=lambda each: each.started):
        control = one.control.name or control
        if (one.simulated and not simulated) or not one.control.caught:
            continue
        for claim in one.claims:
            if claim.rto_seconds is not None:
                past.took[claim.name] = claim.rto_seconds
            if claim.verdict is DrillVerdict.PASS:
                past.proven[claim.name] = one.started
    return Past(past.proven, past.took, control)
