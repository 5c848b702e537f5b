"""Bring up the releases of the bootstrap helmfile, in their order, and repair what a dead run left pending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.helm.results import ReleaseState, ReleaseStatus
from adapters.ports import ReleasesView
from bootstrap.needs import BEFORE_THE_CLUSTER, PUT_BACK
from cluster.by_hand import helmfile_by_hand
from engine.probe import Probe, changing, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from house.model import House, Release


@dataclass(frozen=True)
class SyncRelease(BaseStep):
    """One release deployed from what the helmfile says, and noted so in the cluster."""

    house: House
    release: Release
    system = "helm"
    standing = True

    @property
    def id(self) -> StepId:
        return StepId(f"helm.sync-release/{self.release.key}")

    @property
    def title(self) -> str:
        return f"release {self.release.key} {self.release.version}"

    @property
    def needs(self) -> tuple[str, ...]:
        before = tuple(f"helm.sync-release/{key}" for key in self.release.needs)
        known = (BEFORE_THE_CLUSTER, f"preflight.chart/{self.release.key}", f"preflight.kinds/{self.release.key}")
        first = ("kubernetes.create-namespace/*", "kubernetes.put-secret/*", *map(if_any, ("kubernetes.install-crds/*", PUT_BACK)))
        return (*known, *first, "hold.install", *before)

    @property
    def ready_s(self) -> float:
        return self.house.limits.release_s

    @property
    def inputs(self) -> str:
        return f"{self.release.key} {self.release.chart} {self.release.version}"

    def probe(self, look: LookContext) -> Probe:
        state = release_state(look.releases, self.release)
        if state.status is ReleaseStatus.ABSENT:
            return missing("not installed")
        if state.pending:
            return self._pending(state, look.releases.open_runs())
        if state.status is ReleaseStatus.UNINSTALLING:
            return changing("being uninstalled")
        if state.status is not ReleaseStatus.DEPLOYED:
            return drifted(f"last revision {state.revision} is {state.status.value}", "status")
        if state.managed_by_flux:
            if state.run and state.run in look.releases.open_runs():
                return drifted(f"revision {state.revision}, kept by Flux since; the token of run {state.run} is left", "token")
            return satisfied(f"revision {state.revision}, kept by Flux since")
        noted = look.releases.deployed_digest(self.release.namespace, self.release.name)
        if noted != look.releases.desired_digest(self.release.namespace, self.release.name):
            return drifted(f"revision {state.revision} was made from other values", "values")
        return satisfied(f"revision {state.revision} deployed")

    def _pending(self, state: ReleaseState, open_runs: tuple[str, ...]) -> Probe:
        """Only what a run of ours may have left is repaired: nobody else's helm can be fenced, and it may still be at it."""
        if state.managed_by_flux:
            return changing(f"{state.status.value}: Flux keeps it, and helm-controller is at it")
        if not state.run and not open_runs:
            record = f"kubectl -n {state.namespace} delete secret sh.helm.release.v1.{state.name}.v{state.revision}"
            return changing(
                f"{state.status.value}, and by no run of ours",
                hint=f"somebody's helm is at it, or died at it; where surely nobody is at it any more: {record}",
            )
        return drifted(f"left {state.status.value} by a run that ended", "status")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        state = release_state(act.releases, self.release)
        # A pending record is the only lock helm has: nobody may be left who could still hold it before it goes. And a run that
        # was cut off before or after its helm had one has left a token too, which nothing else would take away.
        for run in act.releases.open_runs():
            if run != act.run:
                act.releases.fence(run)
        if state.managed_by_flux and not state.pending:
            return
        if state.pending:
            act.releases.drop_pending(state)
        act.releases.sync(self.release.namespace, self.release.name, act.run)

    def by_hand(self) -> str:
        one = f"--selector name={self.release.name},namespace={self.release.namespace}"
        return f"{helmfile_by_hand(self.house)} -f {self.house.helmfile} sync {one}"


def release_state(releases: ReleasesView, release: Release) -> ReleaseState:
    """The newest revision of this release; ABSENT when there is none."""
    for state in releases.releases():
        if (state.namespace, state.name) == (release.namespace, release.name):
            return state
    return ReleaseState(release.namespace, release.name, ReleaseStatus.ABSENT, 0, "", "")


def steps(house: House) -> Iterator[SyncRelease]:
    """One for every release of the helmfile."""
    for release in house.releases:
        yield SyncRelease(house, release)
