"""What a stop of the house takes away from everybody, which only a person can want. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.vms import all_off, running_of, where_it_runs
from engine.errors import PermanentError
from engine.probe import Probe, Risk, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import agreed, number
from house.model import House


@dataclass(frozen=True)
class SwitchOff(Risk):
    """Applications that stop, by their claims, databases with them, and nodes that go off, by name."""

    applications: tuple[str, ...]
    nodes: tuple[str, ...]
    databases: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = (*self.applications, *(f"database {key}" for key in self.databases))
        stopped = f"{agreed(named, 'stops', 'stop')} and " if named else ""
        return f"{stopped}{agreed(self.nodes, 'goes', 'go')} off: nothing of this house serves until cluster.start"


@dataclass(frozen=True)
class MaySwitchOff(BaseCheck):
    """Everything is off already; else a person has to consent to it, and nothing must start a VM again by itself."""

    house: House
    id = StepId("preflight.switch-off")
    title = "the house may be switched off"

    def probe(self, look: LookContext) -> Probe:
        running = running_of(look, self.house, self.house.nodes)
        if tended := [vm.vm_id for _, vm in running if vm is not None and vm.ha]:
            raise PermanentError(
                f"the HA of Proxmox would start {', '.join(f'vm:{one}' for one in tended)} again",
                hint=f"first, for each: ha-manager set vm:{tended[0]} --state ignored; after cluster.start: --state started",
            )
        if not running:
            return satisfied(all_off(self.house.nodes))
        claims, databases = (tuple(one.key for one in them) for them in (self.house.claims, self.house.databases))
        asked = SwitchOff(claims, tuple(node.name for node in self.house.nodes), databases)
        told = tuple(f"{node.name}: {where_it_runs(vm)}" for node, vm in running)
        return missing(f"running: {len(running)} of {number(len(self.house.nodes), 'node')}: {asked}", *told, identity=asked)

    def by_hand(self) -> str:
        return "kubectl get pods -A -o wide   # what serves"


def check(house: House) -> MaySwitchOff:
    """The check of this house."""
    return MaySwitchOff(house)
