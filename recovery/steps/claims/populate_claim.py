"""Let VolSync fill the claim from the proven image, and see that it was that image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from adapters.volsync.port import ClaimsView
from adapters.volsync.results import ClaimPhase
from cluster.hold.holding import demand_hold
from cluster.hold.standing import Way, standing
from cluster.machines.absent import silent_servers
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId, if_any
from engine.waiting import pause
from house.model import BackedUpClaim, House
from recovery.record import is_another, pinned

NUDGES = 60
NUDGE_S = 2.0


@dataclass(frozen=True)
class PopulateClaim(BaseStep):
    """The claim bound to a volume made from the image that was proven."""

    house: House
    claim: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.populate/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} filled from the proven image"

    @property
    def needs(self) -> tuple[str, ...]:
        before = (f"recovery.start-app/{self.claim.key}", f"recovery.usable/{self.claim.key}")
        return (f"recovery.prove/{self.claim.key}", *map(if_any, before))

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        entry, state = there.entry, there.now
        if there.through:
            return satisfied(there.told)
        if entry is None or there.way is not Way.PROVEN:
            return unknown(f"no image is proven: {there.told}")
        self._refuse_remade(look.claims, entry)
        if state.phase is ClaimPhase.BOUND:
            self._refuse_another(state.populated_from, entry.image)
            return satisfied(f"bound, made from {state.populated_from}")
        if state.phase is ClaimPhase.ABSENT:
            return changing("the claim is not there yet: Flux has not applied it")
        return missing(f"the claim is {state.phase.value}", state.detail)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        demand_hold(act.hold, f"{self.claim.key} is not filled", silent_servers(act.proxmox, act.cluster, self.house))
        self._refuse_remade(act.claims, pinned(act.hold, self.claim))
        # VolSync's back-off may have grown as long as the hold was, and only progress resets it: one nudge is not enough.
        for _ in range(NUDGES):
            act.claims.nudge("PersistentVolumeClaim", self.claim.namespace, self.claim.claim)
            pause(act.clock, NUDGE_S)
            if act.claims.claim(self.claim.namespace, self.claim.claim).phase is ClaimPhase.BOUND:
                return

    def _refuse_remade(self, claims: ClaimsView, entry: HeldClaim) -> None:
        """VolSync and the hold go by the image's name: one that was made anew under it is told by its uid alone."""
        there = claims.destination(self.claim.namespace, self.claim.destination)
        if is_another(there, entry):
            raise PermanentError(
                f"{self.claim.key} is not filled: {entry.image} is not the image that was proven, but another one of its name",
                evidence=(f"proven: uid {entry.image_uid}", f"there now: uid {there.image_uid}"),
                hint="the claim stays held; the same again compares what is there now",
                next_command="invoke dr.restore",
            )

    def _refuse_another(self, origin: str, proven: str) -> None:
        """VolSync names the image on the volume in the same patch that binds it: no name means that somebody else made it."""
        if origin != proven:
            place = f"kubectl -n {self.claim.namespace} delete pvc {self.claim.claim}"
            raise PermanentError(
                f"{self.claim.key} was filled from {origin}, proven was {proven}"
                if origin else f"{self.claim.key} is bound to a volume that VolSync has not filled; proven was {proven}",
                hint=f"the claim stays held; once nothing in it is needed, `{place}`: Flux makes it again, and it is filled anew",
            )

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} annotate pvc {self.claim.claim} blackstart/nudge=$(date +%s) --overwrite"


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[PopulateClaim]:
    """One for every claim to restore."""
    for claim in claims:
        yield PopulateClaim(house, claim)
