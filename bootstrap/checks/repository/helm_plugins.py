"""Whether helm finds the plugins that the helmfile needs, before the first VM is made: without one no release is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import helmfile_by_hand
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class HelmPlugins(BaseCheck):
    """All of them. A run's programs have a home of their own: helm finds the plugins of the folder that is named, and no others."""

    house: House
    id = StepId("preflight.helm-plugins")
    title = "helm finds the plugins that the helmfile needs"

    def probe(self, look: LookContext) -> Probe:
        there = look.releases.plugins()
        lacking = [(name, asks) for name, asks in self.house.helm_plugins if name not in there]
        if not lacking:
            return satisfied(", ".join(name for name, _ in self.house.helm_plugins))
        lines = [f"{name}, by {asks}" for name, asks in lacking]
        named = dict(self.house.helmfile_environment).get("HELM_PLUGINS", "")
        where = f" in {named}" if named else ": bootstrap.environment names no folder of them (HELM_PLUGINS)"
        told = f"the helmfile needs {', '.join(name for name, _ in lacking)}, which helm does not find{where}"
        hint = (
            "install it (`helm plugin install`), and write the folder that `helm env HELM_PLUGINS` prints under bootstrap: "
            "`environment: {HELM_PLUGINS: …}`"
        )
        return missing(told, *lines, hint=hint)

    def by_hand(self) -> str:
        names = ", ".join(name for name, _ in self.house.helm_plugins)
        return f"{helmfile_by_hand(self.house, 'helm')} plugin list   # {names}"


def checks(house: House) -> Iterator[HelmPlugins]:
    """One where the helmfile needs any."""
    if house.helm_plugins:
        yield HelmPlugins(house)
