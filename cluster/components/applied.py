"""What has no file here: readiness, by kstatus' rules, of every object that Flux applied and of every workload that it brought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adapters.components.results import Applied, Program, Status
from adapters.context import LookContext
from cluster.components.judging import of_program
from cluster.components.rows import BELOW, HELM_RELEASE
from cluster.components.shape import Component
from cluster.flux import allowed_databases, held_apps, not_applied
from cluster.storage.findings import Finding, Weight, fine, probe_of
from engine.probe import Probe, missing
from engine.step import BaseCheck, StepId, if_any
from engine.text.words import number
from house.model import House
from house.repository.programs import DeclaredProgram

_KUSTOMIZATION = ("kustomize.toolkit.fluxcd.io", "Kustomization")
_WORKLOADS = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})
_PASSING = frozenset({("batch", "Job"), ("", "Pod")})
"""They may have ended, and been cleared away."""


@dataclass(frozen=True)
class AppliedReady(BaseCheck):
    """One row for all of them: those that are not ready are told by name, the others counted.

    What waits for a held claim is not asked yet, and what a component's own rows tell is left to them.
    """

    house: House
    components: tuple[Component, ...]
    id = StepId("component.applied")
    title = "everything else that Flux applied is ready"
    needs = (*BELOW, if_any("flux.reconcile"))
    sight_s = 0.0

    def probe(self, look: LookContext) -> Probe:
        state = look.flux.state()
        if not state.installed:
            return missing("Flux is not there")
        held = held_apps(look, self.house)
        excused = not_applied(state, self.house, held, allowed_databases(look)) | held
        seen = look.components.applied()
        releases = {one.key: one.kustomization for one in seen.objects if one.kind == HELM_RELEASE.kind}
        elsewhere = self._elsewhere()
        told = [one for one in seen.objects if not elsewhere(one)]
        found = [one for one in told if one.kustomization not in excused]
        programs = [one for one in self._programs(look) if _owner(one, releases) not in excused]
        away = sum(node.ready is not True for node in look.cluster.nodes())
        findings = [*map(_judged, found), *(of_program(one, "", away) for one in programs)]
        ill = [one for one in findings if one.weight is not Weight.FINE]
        well = number(len(findings) - len(ill), "object")
        left = len(told) - len(found)
        why = f"; {number(left, 'object')} not asked: their Kustomizations are suspended, or wait for a held claim" if left else ""
        total = fine("Flux", f"{well} ready; {number(seen.unlisted, 'other')} can be nothing but there{why}")
        unserved = (Finding(kind, Weight.BLOCKS, "is in an inventory, and the cluster serves it no more") for kind in seen.unserved)
        mute = "has applied something and tells no inventory"
        silent = (Finding(f"Kustomization {key}", Weight.UNKNOWN, mute) for key in seen.silent)
        return probe_of([*ill, *unserved, *silent, total])

    def _elsewhere(self) -> Callable[[Applied], bool]:
        """Whether another row speaks of an object: of a workload, and of a component's release, only while it is there."""
        asked = {(ask.group, ask.kind) for one in self.components for aspect in one.aspects for ask in aspect.asks}
        keys, releases = {one.key for one in self._own}, {one.release for one in self._own}

        def told(one: Applied) -> bool:
            kind = (one.group, one.kind)
            if kind in _WORKLOADS:
                return one.there or one.key in keys
            if one.kind == HELM_RELEASE.kind:
                return one.there and one.key in releases
            return kind == _KUSTOMIZATION or kind in asked

        return told

    def _programs(self, look: LookContext) -> Iterator[Program]:
        """Workloads that Flux brought, by itself or by a release, and that no component's row tells of."""
        running = look.components.programs()
        told = {one.key for one in self._own} | {one.release for one in running if one.release and self._of_component(one)}
        for one in running:
            by_flux = one.release or one.kustomization
            if by_flux and not one.owned and one.release not in told and not self._of_component(one):
                yield one

    @property
    def _own(self) -> list[DeclaredProgram]:
        """The declared programs that a component's row tells of."""
        return [one for one in self.house.programs if any(component.is_declared(one) for component in self.components)]

    def _of_component(self, one: Program) -> bool:
        return any(component.runs_as(one) for component in self.components)

    def by_hand(self) -> str:
        return "flux get all -A --status-selector ready=false && kubectl get deployments,statefulsets,daemonsets -A"


def _owner(one: Program, releases: dict[str, str]) -> str:
    """The Kustomization by which a workload came, "" where that is not told."""
    return one.kustomization or releases.get(one.release, "")


def _judged(one: Applied) -> Finding:
    part, group = f"{one.kind} {one.key}", f".{one.group}" if one.group else ""
    place = f"-n {one.namespace} " if one.namespace else ""
    command = f"kubectl {place}describe {one.kind.lower()}{group} {one.name}"
    if not one.there:
        if (one.group, one.kind) in _PASSING:
            return fine(part, "has ended")
        told = f"was applied by {one.kustomization}, and is not there"
        hint = "Flux makes it again at its next interval, or when it is asked"
        return Finding(part, Weight.BLOCKS, told, hint=hint, command=command)
    if one.status is Status.CURRENT:
        return fine(part, "ready")
    return Finding(part, Weight.BLOCKS, f"{one.status.value}: {one.why}", command=command)
