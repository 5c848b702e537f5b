"""Whether the claim is bound to the very volume that it had before."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.volsync.results import ClaimPhase, ClaimState
from engine.errors import PermanentError
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, StepId
from house.model import BackedUpClaim, House
from recovery.points.kept import demand_volume


@dataclass(frozen=True)
class CameBack(BaseCheck):
    """Told by what the storage calls the volume. Any other volume is a problem: its data are not those that were kept."""

    house: House
    claim: BackedUpClaim
    volume: str

    @property
    def id(self) -> StepId:
        return StepId(f"undo.bound/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} bound to its volume of before"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.start-app/{self.claim.key}",)

    @property
    def sight_s(self) -> float:
        return self.house.limits.release_s

    def probe(self, look: LookContext) -> Probe:
        handle = demand_volume(look.kept, self.volume, self.claim.key).handle
        now = look.claims.claim(self.claim.namespace, self.claim.claim)
        if now.phase is ClaimPhase.ABSENT:
            return changing("the claim is not there yet: Flux has not applied it")
        refuse_another(self.claim.key, now, handle)
        if not now.alive:
            return changing(f"the claim is {now.phase.value}", now.detail)
        return satisfied(f"bound to {now.volume}, which it had before")

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get pvc {self.claim.claim}   # VOLUME is {self.volume}"


def refuse_another(key: str, now: ClaimState, handle: str) -> None:
    """PermanentError when the claim has a volume, and it is not this one."""
    if now.volume and now.volume != handle:
        raise PermanentError(
            f"{key} is bound to another volume than the one that was to come back",
            evidence=(f"bound to {now.volume}", f"kept: {handle}"),
            hint="it stays held and what was kept stays kept: the same again names what stands there now",
            next_command=f"invoke dr.undo {key}",
        )
