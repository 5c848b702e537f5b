"""Install the CRDs that the house wants before anything else: those of its CRD helmfile, and those that the settings name.

What releases render and Flux applies may need definitions that only a later release brings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.helm.results import Crd
from adapters.kubernetes.results import CrdState
from bootstrap.needs import BEFORE_THE_CLUSTER
from cluster.by_hand import crds_by_hand, definitions_by_hand
from engine.errors import PermanentError
from engine.probe import Probe, changing, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import CrdSource, House, Release

# The field managers of Flux: what one of them keeps is brought up to date by Git, not by us.
FLUX = frozenset({"kustomize-controller", "helm-controller", "flux-operator"})


class _Install(BaseStep, ABC):
    """The CRDs of one origin established; one that somebody else keeps by now is left to them, older or newer."""

    system = "kubernetes"
    standing = True

    @property
    @abstractmethod
    def key(self) -> str:
        """What the origin is called; noted on each definition."""

    @property
    def id(self) -> StepId:
        return StepId(f"kubernetes.install-crds/{self.key}")

    @abstractmethod
    def wanted(self, look: LookContext | ActContext) -> tuple[Crd, ...]:
        """The definitions, by name. PermanentError when they cannot be had."""

    @abstractmethod
    def command(self, *flags: str) -> str:
        """What a person types to apply them; `flags` are kubectl's."""

    @property
    def needs(self) -> tuple[str, ...]:
        return (BEFORE_THE_CLUSTER, f"preflight.crds/{self.key}", "kubernetes.api-servers")

    def probe(self, look: LookContext) -> Probe:
        wanted = self.wanted(look)
        there = {state.name: state for state in look.cluster.crds([crd.name for crd in wanted])}
        absent = tuple(crd.name for crd in wanted if crd.name not in there)
        if absent:
            return missing(f"{len(absent)} of {len(wanted)} not there", *absent)
        self._refuse_old(wanted, there)
        old = tuple(crd.name for crd in wanted if _ours_and_old(crd, there[crd.name]))
        if old:
            return drifted(f"{len(old)} of {len(wanted)} of another version", *old)
        waiting = tuple(f"{s.name}: {'being deleted' if s.leaving else s.detail}" for s in there.values() if not _serves(s))
        if waiting:
            return changing(f"{len(waiting)} of {len(wanted)} not established", *waiting)
        kept = {keeper for crd in wanted if (keeper := _keeper(crd, there[crd.name]))}
        by = f", kept by {' and '.join(sorted(kept))} since" if kept else ""
        return satisfied(f"{len(wanted)} established{by}")

    def _refuse_old(self, wanted: Sequence[Crd], there: dict[str, CrdState]) -> None:
        """A CRD that neither we nor Flux keep, and that lacks what is served here: nobody would ever bring it up to date."""
        for crd in wanted:
            state = there[crd.name]
            lacking = sorted(set(crd.served) - set(state.served))
            if lacking and _keeper(crd, state) and not FLUX & set(state.keepers):
                raise PermanentError(
                    f"{crd.name} is kept by {_keeper(crd, state)} and does not serve {', '.join(lacking)}",
                    evidence=(f"it serves {', '.join(state.served)}",),
                    hint=f"where nobody needs the older one: {self.command('--force-conflicts')}",
                )

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        wanted = self.wanted(act)
        there = {state.name: state for state in act.cluster.crds([crd.name for crd in wanted])}
        for crd in wanted:
            if crd.name not in there or _ours_and_old(crd, there[crd.name]):
                act.cluster.apply_crd(crd)

    def by_hand(self) -> str:
        return self.command()


def _keeper(crd: Crd, state: CrdState) -> str:
    """Who keeps it instead of this origin: other field managers, or another chart or entry of ours; "" for this one."""
    return ", ".join(state.keepers) or (state.chart if state.chart != crd.chart else "")


def _ours_and_old(crd: Crd, state: CrdState) -> bool:
    return not state.leaving and not _keeper(crd, state) and state.digest != crd.digest


def _serves(state: CrdState) -> bool:
    return state.established and not state.leaving


@dataclass(frozen=True)
class InstallCrds(_Install):
    """Those that one chart of the CRD helmfile brings."""

    house: House
    chart: Release

    @property
    def key(self) -> str:
        return self.chart.key

    @property
    def title(self) -> str:
        return f"CRDs of {self.chart.key} {self.chart.version}"

    @property
    def inputs(self) -> str:
        return f"{self.chart.key} {self.chart.chart} {self.chart.version}"

    def wanted(self, look: LookContext | ActContext) -> tuple[Crd, ...]:
        return look.releases.crds_of(self.chart.namespace, self.chart.name)

    def command(self, *flags: str) -> str:
        return crds_by_hand(self.house, self.chart, *flags)


@dataclass(frozen=True)
class ApplyCrds(_Install):
    """Those of one entry of `bootstrap.crds`."""

    source: CrdSource

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def title(self) -> str:
        return " ".join(filter(None, (f"CRDs of {self.source.key}", self.source.version)))

    @property
    def inputs(self) -> str:
        return " ".join((self.source.key, self.source.place, self.source.sha256))

    def wanted(self, look: LookContext | ActContext) -> tuple[Crd, ...]:
        return look.manifests.crds_of(self.source)

    def command(self, *flags: str) -> str:
        return definitions_by_hand(self.source, *flags)


def steps(house: House) -> Iterator[InstallCrds | ApplyCrds]:
    """One for each entry of the settings, and for every chart of the CRD helmfile."""
    for source in house.crd_sources:
        yield ApplyCrds(source)
    for chart in house.crd_charts:
        yield InstallCrds(house, chart)
