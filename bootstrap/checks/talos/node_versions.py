"""Whether each node runs the Talos that talconfig.yaml wants: one that was changed there reaches no node by itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from house.model import House, Node


@dataclass(frozen=True)
class NodeVersion(BaseCheck):
    """One node. No run upgrades it: that restarts what serves, and is a person's to time."""

    house: House
    node: Node
    severity = Severity.WATCHED
    sight_s = 10.0

    @property
    def id(self) -> StepId:
        return StepId(f"talos.version/{self.node.name}")

    @property
    def title(self) -> str:
        return f"{self.node.name} runs the Talos of talconfig.yaml"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"talos.apply-config/{self.node.name}", "talos.bootstrap-etcd")

    def probe(self, look: LookContext) -> Probe:
        runs, wanted = look.talos.version(self.node.address), self.house.cluster.talos_version
        if not runs:
            return unknown(f"{self.node.name} does not tell its version")
        if runs != wanted:
            hint = f"by hand, one node at a time, what this prints: {self._command()}"
            return drifted(f"{self.node.name} runs Talos {runs}, talconfig.yaml wants {wanted}", hint=hint)
        return satisfied(f"Talos {runs}")

    def _command(self) -> str:
        """In talconfig's folder: talhelper looks for its variables beside itself. Offline: without the factory's answer it leaves
        the image out, and says nothing."""
        talconfig = self.house.cluster.talconfig
        folder, file = shlex.quote(str(talconfig.parent)), shlex.quote(talconfig.name)
        return f"(cd {folder} && talhelper gencommand upgrade --offline-mode --config-file {file} --node {self.node.name})"

    def by_hand(self) -> str:
        wanted = self.house.cluster.talos_version
        return f"talosctl -n {self.node.address} version; {self._command()}   # {wanted}; if not, run what the second one prints"


def checks(house: House) -> Iterator[NodeVersion]:
    """One for every node."""
    for node in house.nodes:
        yield NodeVersion(house, node)
