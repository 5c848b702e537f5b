"""Whether what the settings' `bootstrap.crds` names can be had and is what its checksum is of, before the first VM is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from bootstrap.checks.repository.charts import SIGHT_S, unless_unknown
from cluster.by_hand import manifest_by_hand
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, Severity, StepId
from house.model import CrdSource, House


@dataclass(frozen=True)
class Definitions(BaseCheck):
    """One entry: fetched and checked here, and kept for the step that applies it."""

    source: CrdSource
    sight_s = SIGHT_S

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.crds/{self.source.key}")

    def severity_of(self, seen: Probe) -> Severity:
        return unless_unknown(seen)

    @property
    def title(self) -> str:
        return f"CRDs of {self.source.key} can be had"

    def probe(self, look: LookContext) -> Probe:
        try:
            found = look.manifests.crds_of(self.source)
        except PermanentError as error:
            return missing(error.what, *error.evidence, hint=error.hint)
        return satisfied(f"{self.source.place} brings {len(found)}")

    def by_hand(self) -> str:
        return f"{manifest_by_hand(self.source)} | grep -c '^kind: CustomResourceDefinition'   # at least one"


def checks(house: House) -> Iterator[Definitions]:
    """One for every entry."""
    for source in house.crd_sources:
        yield Definitions(source)
