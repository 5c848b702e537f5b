"""Whether the VMs that are there have more than the settings say: a rebuild makes what is said, and loses the rest."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.differing import lost
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number
from house.known.inventory import INVENTORY_FILE, known_inventory
from house.model import House


@dataclass(frozen=True)
class Machines(BaseCheck):
    """Every VM of ours that can be read. It stops no run: what is there goes on as it is."""

    house: House
    id = StepId("proxmox.machines")
    title = "a rebuild would give each VM what it has"
    needs = ("preflight.privileges",)
    severity = Severity.WATCHED

    def probe(self, look: LookContext) -> Probe:
        ours = {self.house.owner_token(node): node for node in self.house.vms}
        vms, ids = look.proxmox.vms(), {node.vm_id for node in self.house.vms}
        there = [(vm, ours[vm.token]) for vm in vms if vm.readable and vm.token in ours]
        blind = ", ".join(str(vm.vm_id) for vm in vms if not vm.readable and vm.vm_id in ids)
        odd = [found for found in (lost(vm, node) for vm, node in there) if found.add or found.by_hand]
        if not odd:
            if not there:
                return unknown(f"{blind} cannot be read") if blind else self._by_what_was_known()
            return satisfied(f"{number(len(there), 'VM')} looked at{f'; {blind} cannot be read' if blind else ''}")
        told = [f"{one.node}: add `{line}`" for one in odd for line in one.add]
        told += [f"{one.node}: by hand, {line}" for one in odd for line in one.by_hand]
        hint = f"add the lines to their nodes in {self.house.settings_file.name}; what all of them have may stand in node_defaults"
        return drifted(f"a rebuild would lose what {number(len(odd), 'VM has', 'VMs have')} beyond the settings", *told, hint=hint)

    def _by_what_was_known(self) -> Probe:
        """No VM is there: what an inventory has of them is all that is left to be held against the settings."""
        known = known_inventory(self.house)
        if known is None or known.machines is None:
            return satisfied("no VM is there yet")
        told = []
        for node in self.house.vms:
            if (vm := known.vm_of(node.name)) is not None:
                found = lost(vm, node)
                told += [f"{node.name}: add `{line}`" for line in found.add]
                told += [f"{node.name}: by hand, {line}" for line in found.by_hand]
        if not told:
            return satisfied(f"no VM is there yet; the settings have all that {INVENTORY_FILE} knows of them")
        hint = f"add the lines to their nodes in {self.house.settings_file.name} before they are made"
        return drifted(f"by {INVENTORY_FILE} of {known.machines.date} the VMs had more than the settings say", *told, hint=hint)

    def by_hand(self) -> str:
        ids = " ".join(str(node.vm_id) for node in self.house.vms)
        return f"for id in {ids}; do qm config $id; done   # on a Proxmox host: nothing that {self.house.settings_file.name} lacks"


def check(house: House) -> Machines:
    """The check of this house."""
    return Machines(house)
