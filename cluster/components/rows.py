"""The rows of a component in `cluster.verify`: one for what runs, one for each of its aspects. Knows no component by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.components.results import Ask, Program, Seen
from adapters.context import LookContext
from cluster.components.judging import of_condition, of_program, summed
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight, fine, probe_of
from engine.probe import Probe, missing
from engine.step import BaseCheck, StepId, if_any
from house.model import House
from house.repository.programs import DeclaredProgram

HELM_RELEASE = Ask("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease", ("spec.suspend",), versions=("v2", "v2beta2"))
BELOW = tuple(map(if_any, ("kubernetes.api-servers", "kubernetes.nodes", "preflight.host/*", "proxmox.start-vm/*")))
"""What a row here may be a consequence of: without a node its pods are not there."""


@dataclass(frozen=True)
class Runs(BaseCheck):
    """What is declared of a component is there and ready, and so is what else of it the cluster has.

    `release` is the one release (`namespace/name`) that the row speaks of, "" for all of the component's.
    """

    house: House
    component: Component
    declared: tuple[DeclaredProgram, ...]
    release: str = ""

    @property
    def id(self) -> StepId:
        return StepId(f"component.{self.component.key}{f'/{self.release}' if self.release else ''}")

    @property
    def title(self) -> str:
        return f"{self.component.title}{f' {self.release}' if self.release else ''} runs"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*BELOW, *dict.fromkeys(if_any(one.step) for one in self.declared if one.step))

    @property
    def sight_s(self) -> float:
        return 0.0

    def probe(self, look: LookContext) -> Probe:
        running = programs_of(self.component, self.declared, look.components.programs(), self.release)
        releases = {one.key: one for one in look.components.objects(HELM_RELEASE) or ()} if self._by_flux else {}
        absent = [one for one in self.declared if not one.suspended and not _of(one, running)]
        unmade = [one for one in absent if not _deployed(one, releases)]
        if unmade:
            told = f"{unmade[0].key} is declared, and nothing of it is there"
            lines = (f"{one.key}: {one.declared_in or one.chart}" for one in unmade)
            return missing(told, *lines, hint=self.component.means)
        away = sum(node.ready is not True for node in look.cluster.nodes())
        found = [*self._gone(absent, running), *self._released(releases)]
        return probe_of(summed([*found, *(of_program(one, self.component.means, away) for one in running), *self._idle(running)]))

    @property
    def _by_flux(self) -> bool:
        return any(one.release for one in self.declared)

    def _gone(self, absent: list[DeclaredProgram], running: list[Program]) -> Iterator[Finding]:
        """What was deployed once, and is not there."""
        for one in absent:
            space, _, name = one.release.partition("/")
            told, hint = "its release is deployed, and nothing of it is there", f"{self.component.means}; it comes back by:"
            command = f"flux reconcile helmrelease -n {space} {name} --force"
            yield Finding(one.key, Weight.BLOCKS, told, hint=f"{hint} {command}")
        if running:
            for image in self.component.lacks(running):
                yield Finding(image, Weight.BLOCKS, "no program of this image is there", hint=self.component.means)

    def _released(self, releases: dict[str, Seen]) -> Iterator[Finding]:
        for one in self.declared:
            found = releases.get(one.release)
            if one.suspended or (found is not None and found.says("spec.suspend") == "true"):
                yield Finding(f"HelmRelease {one.release}", Weight.NOTED, "is suspended: Flux lets it be")
            elif found is not None:
                command = f"kubectl -n {found.namespace} describe helmrelease {found.name}"
                said = of_condition(found, "Ready", self.component.means, command)
                if said.weight is not Weight.FINE:
                    yield said

    def _idle(self, running: list[Program]) -> Iterator[Finding]:
        """All of it may be there and ready, and nothing run."""
        if running and not any(one.wanted for one in running):
            names = ", ".join(f"{one.kind} {one.key}" for one in running)
            yield Finding(names, Weight.BLOCKS, "wants no pod: it is scaled to none", hint=self.component.means)

    def by_hand(self) -> str:
        spaces = sorted({one.namespace for one in self.declared}) or ["-A"]
        first = spaces[0]
        return f"kubectl {'-A' if first == '-A' else f'-n {first}'} get deployments,statefulsets,daemonsets   # each one ready"


@dataclass(frozen=True)
class Says(BaseCheck):
    """One aspect of a component: what its operator wrote into its own objects."""

    house: House
    component: Component
    aspect: Aspect

    @property
    def id(self) -> StepId:
        return StepId(f"component.{self.component.key}.{self.aspect.name}")

    @property
    def title(self) -> str:
        return f"{self.component.title}: {self.aspect.title}"

    @property
    def needs(self) -> tuple[str, ...]:
        own = if_any(f"component.{self.component.key}/*" if self.component.apart else f"component.{self.component.key}")
        return (*BELOW, own, if_any("flux.reconcile"))

    @property
    def sight_s(self) -> float:
        return 0.0

    def probe(self, look: LookContext) -> Probe:
        ask = self.aspect.asks[0]
        there = look.components.objects(ask)
        if there is None:
            return missing(f"the cluster serves no {ask.kind} of {ask.group}", hint=self.component.means)
        found = list(self.aspect.judge(Facts(look, self.house)))
        quiet = f"{len(there)}, and nothing is wrong with them" if there else "none is there"
        return probe_of(summed(found or [fine(ask.kind, quiet)]))

    def by_hand(self) -> str:
        return self.aspect.command


def programs_of(
    component: Component, declared: tuple[DeclaredProgram, ...], running: tuple[Program, ...], release: str = ""
) -> list[Program]:  # fmt: skip
    """What of the cluster is of a component: all programs of its releases, and any with an image of its own.

    What another object controls is left to that, which speaks for it.
    """
    releases = {one.key for one in declared} | {one.release for one in running if one.release and component.runs_as(one)}
    found = (one for one in running if not one.owned and (one.release in releases or component.runs_as(one)))
    return [one for one in found if not release or instance(one) == release]


def instance(one: Program) -> str:
    """The release that a program is of; what no release made is called by its own name."""
    return one.release or one.key


def _of(one: DeclaredProgram, running: list[Program]) -> list[Program]:
    """What runs of a declared program: of its release, or where helm has marked none, in its namespace."""
    return [
        each for each in running
        if one.key in (each.release, each.key) or (not each.release and each.namespace == one.namespace)
    ]  # fmt: skip


def _deployed(one: DeclaredProgram, releases: dict[str, Seen]) -> bool:
    found = releases.get(one.release)
    said = found.condition("Ready") if found is not None else None
    return said is not None and said.good is True
