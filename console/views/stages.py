"""The stages of a run, in the order in which a house comes up, and which of them a step belongs to. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.step import StepId

CHECKS = "checks"
OTHER = "other"
_OF = {
    "preflight": CHECKS, "guard": CHECKS,
    "proxmox": "Proxmox",
    "talos": "Talos",
    "kubernetes": "cluster",
    "helm": "Helm",
    "flux": "Flux",
    "hold": "data", "backup": "data", "recovery": "data",
}  # fmt: skip
ORDER = (*dict.fromkeys(_OF.values()), OTHER)


def stage_of(step: StepId) -> str:
    """The stage of one step, by the first word of its id."""
    return _OF.get(step.partition(".")[0], OTHER)


@dataclass
class Stage:
    """How far one stage is: its steps that have not ended, how many there are in all, and when the first was taken up.

    `began` and `ended` are in seconds of the monotonic clock; None before.
    """

    name: str
    of: int
    open: set[StepId]
    began: float | None = None
    ended: float | None = None

    @property
    def done(self) -> int:
        """How many of its steps have ended."""
        return self.of - len(self.open)

    def seconds(self, now: float) -> float | None:
        """How long it has been at work, None for one that nobody took up."""
        return None if self.began is None else (self.ended if self.ended is not None else now) - self.began


def stages(steps: Iterable[StepId]) -> dict[str, Stage]:
    """The stages that have a step, in order."""
    found: dict[str, set[StepId]] = {}
    for step in steps:
        found.setdefault(stage_of(step), set()).add(step)
    return {name: Stage(name, len(found[name]), found[name]) for name in ORDER if name in found}
