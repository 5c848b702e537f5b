"""Have nodes end their pods and switch off: the workers, then the control planes, those all at once. Knows no application."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.proxmox.results import PowerState, Vm
from adapters.talos.results import Phase
from cluster.machines.vms import all_off, running_of, where_it_runs
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.waiting import wait_until
from house.model import House, Node

OFF_LIMIT_S = 900.0
"""A node's pods have their grace first, and some ask for minutes."""


@dataclass(frozen=True)
class StopNodes(BaseStep):
    """Their VMs are off, by Talos' own shutdown. One that does not answer is never cut off from its power here; of a machine of
    metal that is all that can be seen, and it is told so.

    Control planes go in one act: with the second of three the API servers are gone, and with them whatever could tell another
    machine that this one is at work.
    """

    house: House
    nodes: tuple[Node, ...]
    which: str
    needs: tuple[str, ...] = ()
    system = "talos"
    ready_s = OFF_LIMIT_S

    @property
    def id(self) -> StepId:
        return StepId(f"stop.nodes/{self.which}")

    @property
    def title(self) -> str:
        return f"{self.which} off"

    @property
    def inputs(self) -> str:
        return " ".join(node.name for node in self.nodes)

    def hazard(self, seen: Probe) -> Hazard:
        # The consent was given to what comes first, preflight.switch-off, which names every node.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        running = self._running(look)
        if not running:
            return satisfied(all_off(self.nodes))
        if blind := [node.name for node, vm in running if vm is not None and vm.power is PowerState.OTHER]:
            return unknown(f"Proxmox does not tell whether {', '.join(blind)} runs")
        told = tuple(f"{node.name}: {where_it_runs(vm)}" for node, vm in running)
        phases = {node.name: look.talos.phase(node.address) for node, _ in running}
        if strange := [name for name, phase in phases.items() if phase is Phase.FOREIGN]:
            what = f"a node of another cluster answers at the address of {', '.join(strange)}"
            raise PermanentError(what, evidence=told, hint="find out whose machine it is: nothing is asked to go off before")
        if Phase.SECURE not in phases.values():
            silent = ", ".join(phases)
            hint = f"if {silent} hangs, see its console; `qm shutdown ID` on its host is the next thing to try"
            return changing(f"{silent} runs, and answers no more: going off, or hanging", *told, hint=hint)
        return missing(f"{len(running)} of {len(self.nodes)} run", *told)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        for node, _ in self._running(act):
            if act.talos.phase(node.address) is Phase.SECURE:
                act.talos.shut_down(node.address)
        wait_until(act.clock, lambda: not self._running(act) or None, limit_s=OFF_LIMIT_S, what=f"the {self.which} to go off")

    def _running(self, doors: LookContext | ActContext) -> list[tuple[Node, Vm | None]]:
        return running_of(doors, self.house, self.nodes)

    def by_hand(self) -> str:
        return f"talosctl -n {','.join(node.address for node in self.nodes)} shutdown --force --wait=false"
