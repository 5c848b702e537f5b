"""Whether every chart of the bootstrap helmfile can be fetched, before the first VM is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.context import LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House, Release


@dataclass(frozen=True)
class Chart(BaseCheck):
    """One release's chart at its version."""

    release: Release
    helmfile: Path

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.chart/{self.release.key}")

    @property
    def title(self) -> str:
        return f"chart of {self.release.key}"

    def probe(self, look: LookContext) -> Probe:
        problem = look.releases.chart_problem(self.release.namespace, self.release.name)
        if problem:
            return missing(f"{self.release.chart} {self.release.version} cannot be fetched: {problem}")
        return satisfied(f"{self.release.chart} {self.release.version}")

    def by_hand(self) -> str:
        release = self.release
        chart = f"helmfile -f {self.helmfile} template --selector name={release.name},namespace={release.namespace}"
        return f"{chart} > /dev/null   # fetches {release.chart} {release.version}"


def checks(house: House) -> Iterator[Chart]:
    """One for every release."""
    for release in house.releases:
        yield Chart(release, house.helmfile)
