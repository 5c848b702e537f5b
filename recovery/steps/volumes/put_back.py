"""Promise the kept volume to its claim: the next claim of that name is bound to it, whatever it would be filled from."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState
from cluster.hold.holding import demand_hold
from cluster.machines.absent import silent_servers
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.points.kept import demand_volume


@dataclass(frozen=True)
class PutBack(BaseStep):
    """The volume waits for the claim, or the claim has it. The hold keeps VolSync from filling the claim meanwhile."""

    house: House
    claim: BackedUpClaim
    volume: str
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"undo.put-back/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"volume of before promised to {self.claim.key}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"undo.delete-claim/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.volume}"

    def probe(self, look: LookContext) -> Probe:
        found = demand_volume(look.kept, self.volume, self.claim.key)
        if found.state is KeptState.UNKNOWN:
            return unknown(f"the cluster does not say who has volume {found.name}")
        if found.state is KeptState.FREE:
            return missing(f"no claim has volume {found.name}")
        return satisfied(f"volume {found.name} is {found.state.value}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        silent = silent_servers(act.proxmox, act.cluster, self.house)
        demand_hold(act.hold, f"{self.claim.key} is not given its volume of before", silent)
        act.kept.put_back(self.volume)

    def by_hand(self) -> str:
        patch = '{"spec":{"claimRef":{"uid":null,"resourceVersion":null}}}'
        return f"kubectl patch pv {self.volume} --type merge -p '{patch}'"
