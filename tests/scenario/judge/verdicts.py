"""What a judge says of a scene, and where a volume is not what it must be. Knows no house."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Volume = dict[str, str]
"""What is on a volume: each path and the digest of what is in it."""


@dataclass(frozen=True)
class Verdict:
    """What became of one scene: `misses` in words, none where all is as it must be; `door` is "wire" or "modelled"."""

    scene: str
    door: str
    misses: tuple[str, ...]
    counted: str
    seconds: float


def differences(name: str, must: Volume, found: Volume) -> list[str]:
    """Where a volume is not what it must be, in words. A volume of which nothing is known was not compared."""
    if not must:
        return [f"{name}: nothing is known of what must be on it"]
    lacks = sorted(must.keys() - found.keys())
    others = sorted(path for path in must.keys() & found.keys() if must[path] != found[path])
    more = sorted(found.keys() - must.keys())
    told = ((lacks, "is not there"), (others, "is another"), (more, "should not be there"))
    return [f"{name}: {paths[0]} {what}, and {len(paths) - 1} more" for paths, what in told if paths]


def shown_amiss(shown: Iterable[str]) -> list[str]:
    """What a scene itself says does not hold; one that shows nothing has not held either."""
    lines = list(shown)
    return [line for line in lines if line.startswith("DOES NOT HOLD")] or ([] if lines else ["it showed nothing"])


def table(verdicts: Iterable[Verdict]) -> str:
    """What a person reads at the end."""
    lines = []
    for one in verdicts:
        held = "held" if not one.misses else "MISSED"
        lines.append(f"{one.scene:<9} {one.door:<9} {held:<7} {one.seconds:6.1f} s  {one.counted}".rstrip())
        lines += [f"          {miss}" for miss in one.misses]
    return "\n".join(lines)
