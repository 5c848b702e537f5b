"""A check in another course than its own: the same look, after something else. Knows no check by name."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.course import HouseCheck
from engine.probe import Probe
from engine.step import Severity, StepId


@dataclass(frozen=True)
class After:
    """This check, once `needs` are done; the needs of its own course do not count here. It may wait `within_s` seconds, 0.0 for
    as long as in its own course."""

    check: HouseCheck
    needs: tuple[str, ...]
    within_s: float = 0.0

    @property
    def id(self) -> StepId:
        return self.check.id

    @property
    def title(self) -> str:
        return self.check.title

    @property
    def severity(self) -> Severity:
        return self.check.severity

    @property
    def sight_s(self) -> float:
        return self.within_s or self.check.sight_s

    def severity_of(self, seen: Probe) -> Severity:
        """As the check itself weighs it."""
        return self.check.severity_of(seen)

    def probe(self, look: LookContext) -> Probe:
        """The check's own look."""
        return self.check.probe(look)

    def by_hand(self) -> str:
        """The check's own, "" where it says none."""
        own = getattr(self.check, "by_hand", None)
        return str(own()) if own is not None else ""
