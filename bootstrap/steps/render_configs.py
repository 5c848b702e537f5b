"""Render every machineconfig and the talosconfig from the repository and the secrets bundle, into the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from bootstrap.needs import BEFORE_ANYTHING
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class RenderConfigs(BaseStep):
    """Files of mode 0600 that any later run can make again; nothing of them is kept in memory or in Git."""

    house: House
    system = "workstation"
    standing = True
    needs: tuple[str, ...] = (BEFORE_ANYTHING,)
    id = StepId("talos.render-configs")
    title = "machineconfigs rendered"

    def probe(self, look: LookContext) -> Probe:
        rendered, wanted = look.machineconfigs.rendered_from(), look.machineconfigs.wanted()
        if rendered == wanted:
            return satisfied("rendered from what the repository says now")
        if not rendered:
            return missing("not rendered yet, or a file is missing")
        return drifted("rendered from an older state of the repository", "talos")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.machineconfigs.render()

    def by_hand(self) -> str:
        talconfig, bundle = self.house.cluster.talconfig, self.house.cluster.secrets_bundle
        return f"(cd {talconfig.parent} && talhelper genconfig -c {talconfig.name} -s {bundle} -o clusterconfig --offline-mode)"


def steps(house: House) -> Iterator[RenderConfigs]:
    """One for the house."""
    yield RenderConfigs(house)
