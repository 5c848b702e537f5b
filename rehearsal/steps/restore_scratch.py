"""Restore the pinned snapshot of one claim into a scratch claim, in a pod of our own that locks and makes no repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.drills.results import Order, Phase, Restore
from adapters.volsync.results import Meanwhile, idle
from cluster.backups.audit import repository_of
from cluster.backups.sources import place_of
from engine.errors import BlackstartError, PermanentError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.words import number
from engine.waiting import CLOSE, wait_until
from house.model import BackedUpClaim
from recovery.steps.claims.restore_image import RESTORES
from rehearsal.drill import Drill, scratch_name
from rehearsal.judging import TELLING, of_trouble
from rehearsal.record import Pin, demanded, put_done, put_pin, record_of


@dataclass(frozen=True)
class RestoreScratch(BaseStep):
    """The scratch claim holds what the restore brought, or it is written down why it brought nothing."""

    drill: Drill
    claim: BackedUpClaim
    system = RESTORES

    @property
    def id(self) -> StepId:
        return StepId(f"rehearsal.restore/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} restored beside itself"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"rehearsal.pin/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.drill.run} {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        if record is None:
            return missing("nothing is restored yet")
        if (done := record.done(self.claim)) is not None:
            return satisfied(f"{done.verdict.value}: {done.reason}")
        state = look.drills.restored(scratch_name(self.claim))
        if state.phase is Phase.DONE:
            return satisfied(f"{number(state.bytes, 'byte')} in {state.seconds:.0f} s")
        return missing("nothing is restored yet" if state.phase is Phase.ABSENT else f"restoring: {state.detail}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        pin = demanded(act.drills, self.drill.run).pin(self.claim)
        if pin is None:
            raise PermanentError(f"no restore point of {self.claim.key} is chosen")
        order = order_of(self.claim, pin)
        if act.drills.restored(order.into).phase is Phase.ABSENT:  # others may have gone first, which is no time of this claim's
            pin = replace(pin, ordered=act.clock.now())
            put_pin(act.drills, self.claim, pin)
        repository = repository_of(self.drill.house, place_of(self.claim, pin.origin))

        def listed() -> None:
            """Kept for the comparison, which tells why it cannot be read."""
            with suppress(BlackstartError):
                act.backups.listing(repository, pin.snapshot_id)

        state = restored(act, order, self.drill.house.limits.restore_s, listed)
        if state.phase is not Phase.FAILED or state.trouble is None:
            return
        if state.trouble not in TELLING:
            raise PermanentError(
                f"{self.claim.key} could not be restored: {state.trouble.value}", evidence=(state.detail,),
                hint="this says nothing of the backup; rehearse again",
            )  # fmt: skip
        put_done(act.drills, self.claim, of_trouble(self.claim.key, state.trouble, state, pin, self.drill.started))

    def by_hand(self) -> str:
        return f"restic restore --no-lock ID --target .  # of {self.claim.key}, in a pod with its mover's Secret"


def order_of(claim: BackedUpClaim, pin: Pin) -> Order:
    """The restore of a claim's pin."""
    size = max(pin.size, claim.capacity)
    return Order(scratch_name(claim), claim.namespace, claim.destination, pin.snapshot, size, secret=pin.origin)


def restored(act: ActContext, order: Order, limit_s: float, meanwhile: Meanwhile = idle) -> Restore:
    """Begin this restore, or go on with it, and wait for its end. Raises WaitedTooLong after `limit_s` seconds."""
    act.drills.restore(order)
    meanwhile()

    def ended() -> Restore | None:
        state = act.drills.restored(order.into)
        return state if state.phase in (Phase.DONE, Phase.FAILED) else None

    return wait_until(act.clock, ended, limit_s=limit_s, what=f"the restore into {order.into}", pace=CLOSE)


def steps(drill: Drill) -> Iterator[RestoreScratch]:
    """One for every claim of the drill."""
    for claim in drill.claims:
        yield RestoreScratch(drill, claim)
