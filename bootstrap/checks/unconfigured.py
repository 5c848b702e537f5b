"""Whether no node runs with Talos secrets of before: its machineconfig would hold them, and new ones would lock it out."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.ports import TalosView
from adapters.talos.results import Phase
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseCheck, StepId
from house.model import House, Node


@dataclass(frozen=True)
class Unconfigured(BaseCheck):
    """Every node is silent or in maintenance; a silent one may still hold a machineconfig, which the approval says."""

    house: House
    id = StepId("preflight.unconfigured")
    title = "no node runs with Talos secrets of before"

    def probe(self, look: LookContext) -> Probe:
        if look.machineconfigs.bundle_there():
            return satisfied("a secrets bundle is there")
        configured = [node for node in self.house.nodes if _configured(look.talos, node)]
        if configured:
            return missing(
                f"{len(configured)} of {len(self.house.nodes)} nodes run with Talos secrets of before",
                *(f"{node.name} at {node.address}" for node in configured),
                hint="make the bundle again from a control plane: `talosctl get mc v1alpha1 -o jsonpath='{.spec}'` into a file, "
                "then `talhelper gensecret -f FILE`, and encrypt what it prints with sops; or reset these nodes first",
            )
        return satisfied(f"none of {len(self.house.nodes)} nodes runs with a machineconfig")

    def by_hand(self) -> str:
        nodes = ",".join(node.address for node in self.house.nodes)
        return f"talosctl -n {nodes} version --insecure   # nobody answers, or only machines in maintenance"


def _configured(talos: TalosView, node: Node) -> bool:
    try:
        return talos.phase(node.address) in (Phase.SECURE, Phase.FOREIGN)
    except PermanentError:
        return True  # it serves with a certificate, and without a bundle nobody can tell whose


def check(house: House) -> Unconfigured:
    """The check of this house."""
    return Unconfigured(house)
