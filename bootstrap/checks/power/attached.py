"""Which of Longhorn's volumes are attached still, before their nodes go off. Knows no node."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.machines.vms import unless_off
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.words import number, some
from house.model import House

_DETACHED = "detached"


@dataclass(frozen=True)
class Attached(BaseCheck):
    """Those of stopped applications are detached. What else is attached is told: its node ends it, and its replicas are even again
    only after they were rebuilt."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("stop.volumes")
    title = "Longhorn's volumes detached"
    severity = Severity.ADVISORY
    sight_s = 180.0

    def probe(self, look: LookContext) -> Probe:
        return unless_off(look, self.house, lambda: self._seen(look), "it cannot be asked any more")

    def _seen(self, look: LookContext) -> Probe:
        seen = look.cluster.longhorn(("volumes",))
        if not seen.served:
            return satisfied("there is no Longhorn")
        ours = {claim.key for claim in self.house.claims}
        attached = [one for one in seen.volumes if one.state != _DETACHED]
        late = [f"{one.name} of {one.claim} is {one.state}" for one in attached if one.claim in ours]
        if late:
            return changing(f"{number(len(late), 'volume')} of stopped applications not detached yet", *late)
        others = [one.claim or one.name for one in attached]
        if others:
            return satisfied(f"detached but for {number(len(others), 'volume')} of what is not stopped here: {some(others, 5)}")
        return satisfied(f"{number(len(seen.volumes), 'volume')}, none attached")

    def by_hand(self) -> str:
        return "kubectl -n longhorn-system get volumes.longhorn.io   # STATE detached"


def check(house: House, needs: tuple[str, ...]) -> Attached:
    """The check of this house."""
    return Attached(house, needs)
