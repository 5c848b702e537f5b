"""Hold what came back against its snapshot, byte by byte, as a real restore is, and write down what that shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from adapters.context import ActContext, LookContext
from adapters.drills.results import Order
from cluster.backups.audit import repository_of
from cluster.backups.sources import place_of
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.compared.against import against
from recovery.compared.comparison import Comparison
from rehearsal.drill import Drill
from rehearsal.judging import of_comparison
from rehearsal.record import Pin, demanded, put_done, record_of
from rehearsal.steps.restore_scratch import order_of


@dataclass(frozen=True)
class CompareScratch(BaseStep):
    """What came of the claim is written down."""

    drill: Drill
    claim: BackedUpClaim
    system = "rehearsal"

    @property
    def id(self) -> StepId:
        return StepId(f"rehearsal.compare/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} compared with its snapshot"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"rehearsal.restore/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.drill.run} {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        done = record.done(self.claim) if record is not None else None
        if done is None:
            return missing("not compared yet")
        return satisfied(": ".join(filter(None, (done.verdict.value, done.reason))))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        pin = demanded(act.drills, self.drill.run).pin(self.claim)
        if pin is None:
            raise PermanentError(f"no restore point of {self.claim.key} is chosen")
        order = order_of(self.claim, pin)
        found = compared(act, self.drill.house, self.claim, order, pin)
        again = compared(act, self.drill.house, self.claim, order, pin, anew=True) if found.differences else found
        if again.differences != found.differences:
            raise TransientError(f"two comparisons of {self.claim.key} say different things")
        restored = act.drills.restored(order.into)
        outcome = of_comparison(self.claim.key, pin, found, restored, self.drill.started, act.clock.now())
        put_done(act.drills, self.claim, outcome)

    def by_hand(self) -> str:
        return "restic restore --no-lock --dry-run --delete --verbose ID --target .  # in a pod that mounts the scratch claim"


def compared(act: ActContext, house: House, claim: BackedUpClaim, order: Order, pin: Pin, *, anew: bool = False) -> Comparison:
    """What is in the order's scratch claim against the pin. TransientError where one of the lists broke off."""
    asked = partial(act.drills.compare, order, anew=anew)
    found = against(act.backups, repository_of(house, place_of(claim, pin.origin)), pin.snapshot_id, asked)
    if not found.whole:
        raise TransientError(f"the comparison of {claim.key} broke off", evidence=found.differences[:3])
    return found


def steps(drill: Drill) -> Iterator[CompareScratch]:
    """One for every claim of the drill."""
    for claim in drill.claims:
        yield CompareScratch(drill, claim)
