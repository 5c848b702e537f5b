"""Whether no node runs with Talos secrets of before: its machineconfig would hold them, and new ones would lock it out."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.ports import ProxmoxView, TalosView
from adapters.proxmox.results import PowerState
from adapters.talos.results import Phase
from cluster.machines.vms import find_vm
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House, Node


@dataclass(frozen=True)
class Unconfigured(BaseCheck):
    """Every node is in maintenance, or off: one that is off may still hold a machineconfig, which the approval says."""

    house: House
    id = StepId("preflight.unconfigured")
    title = "no node runs with Talos secrets of before"
    needs = ("preflight.quorum",)  # and so the privileges: a token that may not see a VM is told that there is none

    def probe(self, look: LookContext) -> Probe:
        if look.machineconfigs.bundle_there():
            return satisfied("a secrets bundle is there")
        phases = {node: _phase(look.talos, node) for node in self.house.nodes}
        configured = [node for node, phase in phases.items() if phase is None]
        if configured:
            return missing(
                f"Talos secrets of before run on {len(configured)} of {number(len(self.house.nodes), 'node')}",
                *(f"{node.name} at {node.address}" for node in configured),
                hint="make the bundle again from a control plane: `talosctl get mc v1alpha1 -o jsonpath='{.spec}'` into a file, "
                "then `talhelper gensecret -f FILE`, and encrypt what it prints with sops; or reset these nodes first",
            )
        silent = [node for node, phase in phases.items() if phase is Phase.UNREACHABLE and self._runs(look.proxmox, node)]
        if silent:
            return unknown(
                f"{number(len(silent), 'machine runs and does', 'machines run and do')} not answer: nobody can tell which secrets "
                "they have",
                *(f"{node.name} at {node.address}, {'of metal' if node.metal else f'VM {node.vm_id}'}" for node in silent),
                hint="see why at their consoles; or stop those whose data need not be had any more, and boot metal from Talos' ISO",
            )
        return satisfied(f"none of {number(len(self.house.nodes), 'node')} runs with a machineconfig")

    def _runs(self, proxmox: ProxmoxView, node: Node) -> bool:
        if node.metal:
            return True  # nobody here can tell that it is off
        vm = find_vm(proxmox, self.house, node)
        return vm is not None and vm.power is not PowerState.STOPPED

    def by_hand(self) -> str:
        nodes = ",".join(node.address for node in self.house.nodes)
        return f"talosctl -n {nodes} version --insecure || true   # nobody answers, or only machines in maintenance"


def _phase(talos: TalosView, node: Node) -> Phase | None:
    """What answers there; None for a machine that runs with a machineconfig."""
    try:
        phase = talos.phase(node.address)
    except PermanentError:
        return None  # it serves with a certificate, and without a bundle nobody can tell whose
    return None if phase in (Phase.SECURE, Phase.FOREIGN) else phase


def check(house: House) -> Unconfigured:
    """The check of this house."""
    return Unconfigured(house)
