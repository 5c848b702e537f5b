"""What a look at a storage system comes to: findings, and the one answer that a list of them makes. Knows no system."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from engine.probe import Probe, drifted, satisfied, unknown
from engine.text.words import number


class Weight(Enum):
    """What a finding means for whoever is about to restore onto the system; the last one weighs most."""

    FINE = "fine"
    NOTED = "noted"
    """Told, and stops nothing."""
    UNKNOWN = "unknown"
    """Nobody can tell: stops like BLOCKS, in other words."""
    BLOCKS = "blocks"
    """A restore onto it must not begin."""


_ORDER = tuple(Weight)


@dataclass(frozen=True)
class Finding:
    """One thing that was seen of one part of a system, or could not be.

    `part` is a noun ("pool tank", "OSDs"), `detail` says of it what is, and `code` is the system's own word for it, if it has one.
    `since` is in epoch seconds, None where the system does not say. `hint` is what usually helps, `command` what a person types
    to see more or to mend it. Nothing secret may stand in any of them.
    """

    part: str
    weight: Weight
    detail: str
    code: str = ""
    since: float | None = None
    hint: str = ""
    command: str = ""

    @property
    def told(self) -> str:
        """As one line: `OSDs: 1 of 3 is down (OSD_DOWN), since 2027-01-15T07:00Z`."""
        code = f" ({self.code})" if self.code else ""
        return f"{self.part}: {self.detail}{code}{'' if self.since is None else f', since {moment(self.since)}'}"


def yet_to_come(part: str, what: str, at: float) -> Finding:
    """UNKNOWN, for `what` is dated later than any clock can be wrong (epoch seconds; see engine.text.ages)."""
    return Finding(part, Weight.UNKNOWN, f"{what} is dated {moment(at)}, which is later than now", hint="compare the clocks")


def fine(part: str, detail: str) -> Finding:
    """Looked at, and as it must be."""
    return Finding(part, Weight.FINE, detail)


def moment(at: float) -> str:
    """An epoch second in UTC, to the minute; what no calendar has is told as the number it is."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")
    except (OverflowError, ValueError, OSError):
        return f"{at:g}"


def worst(findings: Iterable[Finding]) -> Weight:
    """The weight that decides; of no finding at all nothing is known."""
    return max((one.weight for one in findings), key=_ORDER.index, default=Weight.UNKNOWN)


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The heaviest first, else in their order."""
    return sorted(findings, key=lambda one: -_ORDER.index(one.weight))


def probe_of(findings: Sequence[Finding]) -> Probe:
    """The answer that these findings make together: the heaviest decides, and every one of them is evidence.

    FINE and NOTED satisfy, BLOCKS is drift, UNKNOWN is unknown, and so are no findings: that nothing was looked at is no good news.
    """
    if not findings:
        return unknown("nothing of it was looked at")
    sorted_ = by_weight(findings)
    weight = sorted_[0].weight
    heads = [one for one in sorted_ if one.weight is weight]
    evidence = tuple(one.told for one in sorted_)
    if weight is Weight.FINE:
        return satisfied("; ".join(evidence))
    more = f", and {number(len(heads) - 1, 'more finding')} like it" if len(heads) > 1 else ""
    detail = f"{heads[0].told}{more}"
    if weight is Weight.NOTED:
        return satisfied(detail, *evidence)
    hint = "; ".join(_distinct(text for one in heads for text in (one.hint, one.command)))
    if weight is Weight.UNKNOWN:
        return unknown(detail, *evidence, hint=hint)
    return drifted(detail, *evidence, hint=hint)


def _distinct(texts: Iterable[str]) -> list[str]:
    """The texts that say something, each once, in their order."""
    return list(dict.fromkeys(filter(None, texts)))
