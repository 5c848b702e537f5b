"""What earlier drills tell the next one: when each claim was last proven, how long it took, whose turn it is to be planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from rehearsal.outcome import DrillOutcome, DrillVerdict

_LAST = 5


@dataclass(frozen=True)
class Past:
    """By claim key: when it last passed (epoch seconds), how long its drills took, the last one last, and how many bytes the last
    that was measured has fetched. `control`: what was planted last."""

    proven: dict[str, float] = field(default_factory=dict)
    times: dict[str, tuple[float, ...]] = field(default_factory=dict)
    control: str = ""
    fetched: dict[str, int] = field(default_factory=dict)

    @property
    def took(self) -> dict[str, float]:
        """How long each usually takes: the middle of its last drills, so that one odd night says nothing."""
        return {key: median(times[-_LAST:]) for key, times in self.times.items()}


def past_of(outcomes: Iterable[DrillOutcome], *, simulated: bool) -> Past:
    """Fold them, the last one last. A drill of the lab's proves nothing of a real house; one that is void proves nothing of any."""
    past, control = Past(), ""
    for one in outcomes:
        control = one.control.name or control
        if (one.simulated and not simulated) or not one.control.caught:
            continue
        for claim in one.claims:
            if claim.rto_seconds is not None:
                past.times[claim.name] = (*past.times.get(claim.name, ()), claim.rto_seconds)
            if claim.verdict is DrillVerdict.PASS:
                past.proven[claim.name] = one.started
                if claim.received_bytes is not None:  # of one that failed, perhaps not all came
                    past.fetched[claim.name] = claim.received_bytes
    return Past(past.proven, past.times, control, past.fetched)
