"""Whether every chart of the bootstrap's helmfiles can be fetched, before the first VM is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import helmfile_by_hand, rendered_by_hand
from engine.errors import PermanentError
from engine.probe import Condition, Probe, missing, satisfied
from engine.step import BaseCheck, Severity, StepId, if_any
from house.model import House, Release

# A server that is down is not waited for here: who needs it tries it again in its turn.
SIGHT_S = 20.0


@dataclass(frozen=True)
class Chart(BaseCheck):
    """One release's chart at its version, and the programs that its hooks run."""

    release: Release
    house: House
    sight_s = SIGHT_S
    needs = (if_any("preflight.helm-plugins"),)

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.chart/{self.release.key}")

    def severity_of(self, seen: Probe) -> Severity:
        return unless_unknown(seen)

    @property
    def title(self) -> str:
        return f"chart of {self.release.key}"

    def probe(self, look: LookContext) -> Probe:
        chart = f"{self.release.chart} {self.release.version}"
        if problem := look.releases.hook_problem(self.release.namespace, self.release.name):  # asks no server, so first
            return missing(f"{chart} cannot be synced: {problem}")
        if problem := look.releases.chart_problem(self.release.namespace, self.release.name):
            return missing(f"{chart} cannot be fetched: {problem}")
        return satisfied(chart)

    def by_hand(self) -> str:
        release = self.release
        one = f"--selector name={release.name},namespace={release.namespace}"
        chart = f"{helmfile_by_hand(self.house)} -f {self.house.helmfile} template {one}"
        return f"{chart} > /dev/null   # fetches {release.chart} {release.version}"


@dataclass(frozen=True)
class CrdChart(BaseCheck):
    """One chart of the CRD helmfile: rendered here, and what it brings is kept for the step that installs it."""

    house: House
    chart: Release
    sight_s = SIGHT_S

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.crds/{self.chart.key}")

    def severity_of(self, seen: Probe) -> Severity:
        return unless_unknown(seen)

    @property
    def title(self) -> str:
        return f"CRDs of {self.chart.key} render"

    def probe(self, look: LookContext) -> Probe:
        try:
            found = look.releases.crds_of(self.chart.namespace, self.chart.name)
        except PermanentError as error:  # what cannot be asked is transient, and so unknown
            return missing(error.what, *error.evidence, hint=error.hint)
        return satisfied(f"{self.chart.chart} {self.chart.version} brings {len(found)}")

    def by_hand(self) -> str:
        return f"{rendered_by_hand(self.house, self.chart)} | grep -c '^kind: CustomResourceDefinition'   # at least one"


def unless_unknown(seen: Probe) -> Severity:
    """A chart that is not there stops everything before the first VM; a server that cannot be asked stops nothing here.

    What is deployed, or lies here already, needs no server, and the release itself is tried in its turn.
    """
    return Severity.ADVISORY if seen.condition is Condition.UNKNOWN else Severity.BLOCKING


def checks(house: House) -> Iterator[Chart | CrdChart]:
    """One for every release, and one for every chart of the CRD helmfile."""
    for release in house.releases:
        yield Chart(release, house)
    for chart in house.crd_charts:
        yield CrdChart(house, chart)
