"""A fresh word of ours on its way to the store, by VolSync itself: whatever comes back later is as old as this drill, or stale."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.drills.results import Phase
from engine.errors import PermanentError, WaitedTooLong
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.waiting import wait_until
from rehearsal.drill import Drill
from rehearsal.record import Sentinel, demanded, put_sentinel, record_of

LIMIT_S = 900.0


@dataclass(frozen=True)
class SendCanary(BaseStep):
    """VolSync says that it has backed the word up."""

    drill: Drill
    system = "canary"
    title = "a fresh word of ours backed up by VolSync"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.canary/sent")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("rehearsal.fence/scratch",)

    @property
    def inputs(self) -> str:
        return self.drill.run

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        sentinel = record.sentinel if record is not None else None
        if sentinel is None:
            return missing("no word is chosen yet")
        if sentinel.seconds is not None:
            return satisfied(f"backed up in {sentinel.seconds:.0f} s")
        sent = look.drills.canary()
        return missing("it is not sent yet" if sent.phase is Phase.ABSENT else f"VolSync is at it: {sent.detail}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        sentinel = demanded(act.drills, self.drill.run).sentinel
        if sentinel is None:
            sentinel = Sentinel(secrets.token_hex(16), act.clock.now())
            put_sentinel(act.drills, sentinel)
        claim = self.drill.claims[0]
        act.drills.send_canary(claim.namespace, claim.destination, sentinel.word)
        try:
            wait_until(
                act.clock, lambda: True if act.drills.canary().phase is Phase.DONE else None, limit_s=LIMIT_S,
                what="VolSync's backup of the canary",
            )  # fmt: skip
        except WaitedTooLong as error:
            told = act.drills.canary().detail
            raise PermanentError(
                f"VolSync has not backed up a claim of ours in {LIMIT_S:.0f} s", evidence=(told,) if told else (),
                hint="backups of applications may be stuck as well: invoke cluster.verify",
            ) from error  # fmt: skip
        put_sentinel(act.drills, replace(sentinel, seconds=max(0.0, act.clock.now() - sentinel.ordered)))

    def by_hand(self) -> str:
        return "kubectl -n blackstart-canary get replicationsource canary -o yaml"


def steps(drill: Drill) -> Iterator[SendCanary]:
    """The one."""
    yield SendCanary(drill)
