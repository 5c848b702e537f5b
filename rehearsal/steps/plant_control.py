"""Plant a fault into the drill itself: unless it comes out FAIL by its own name, the drill has shown nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.drills.results import Phase, Restore, Twist
from adapters.volsync.results import Snapshot
from cluster.backups.audit import audit_claim, repository_of
from cluster.backups.sources import place_of
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId, excusing
from house.model import BackedUpClaim
from recovery.points.choice import asked_for
from rehearsal.controls import DAMAGES, TROUBLES, TWISTS, Kind, caught, turns
from rehearsal.drill import Drill, scratch_name
from rehearsal.outcome import Control, DrillVerdict
from rehearsal.record import Pin, Record, demanded, put_control, record_of
from rehearsal.steps.compare_scratch import compared
from rehearsal.steps.restore_scratch import order_of, restored

_COMPARED = excusing("rehearsal.compare/*", "rehearsal.*")
NONE = "no claim passed: nothing has to be shown able to fail"
_NAMED = 3
_LOOKED_INTO = 5


@dataclass(frozen=True)
class PlantControl(BaseStep):
    """What came of the control is written down."""

    drill: Drill
    system = "rehearsal"
    title = "a fault of our own planted, and found"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.control/planted")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("rehearsal.fence/scratch", _COMPARED)

    @property
    def inputs(self) -> str:
        return f"{self.drill.run} {self.drill.control.value}"

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        control = record.control if record is not None else Control()
        if not control.name:
            return satisfied(control.came_out) if control.came_out else missing("none was planted yet")
        return satisfied(f"{control.name}: {'caught' if control.caught else 'NOT CAUGHT'}; it came out as: {control.came_out}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        chosen = self._smallest(demanded(act.drills, self.drill.run))
        if chosen is None:
            put_control(act.drills, Control(came_out=NONE))
            return
        first = self._first(act, turns(self.drill.control), *chosen)
        if first.name in {kind.value for kind in TROUBLES} and first.caught:
            # It never came to a comparison: that this one is not blind either takes a fault of its kind.
            second = self._first(act, tuple(kind for kind in turns(self.drill.control) if kind not in TROUBLES), *chosen)
            told = f"{first.came_out}; and {second.name}: {second.came_out}"
            first = replace(first, came_out=told) if second.caught else second
        put_control(act.drills, replace(first, claim=chosen[0].key, received_bytes=_received(act, chosen[0])))

    def _first(self, act: ActContext, kinds: tuple[Kind, ...], claim: BackedUpClaim, pin: Pin) -> Control:
        """What came of the first of these that can be planted. PermanentError where none can."""
        for kind in kinds:
            control = self._held(act, kind, claim, pin)
            if control is not None:
                return control
        raise PermanentError("no control could be planted into what was restored")

    def _smallest(self, record: Record) -> tuple[BackedUpClaim, Pin] | None:
        """Of the claims that passed, the one with the smallest snapshot, and its pin: a fault of a claim's own would hide ours."""
        passed = [c for c in self.drill.claims if (done := record.done(c)) is not None and done.verdict is DrillVerdict.PASS]
        pins = [(claim, pin) for claim in passed if (pin := record.pin(claim)) is not None]
        return min(pins, key=lambda pair: (pair[1].size, pair[0].key), default=None)

    def _held(self, act: ActContext, kind: Kind, claim: BackedUpClaim, pin: Pin) -> Control | None:
        """What came of this kind; None where it cannot be planted here."""
        into, twist, damage = scratch_name(claim, kind), TWISTS.get(kind, Twist.NONE), DAMAGES.get(kind)
        order = replace(order_of(claim, pin), into=into, twist=twist, damage=damage, against=pin.snapshot)
        if kind is Kind.WRONG_REPOSITORY:
            order = replace(order, snapshot=Snapshot("0" * len(pin.repository_id), pin.snapshot_id))
        if kind is Kind.OLDER_SNAPSHOT:
            older = self._older(act, claim, pin)
            if older is None:
                return None
            order = replace(order, snapshot=Snapshot(pin.repository_id, older))
        state = restored(act, order, self.drill.house.limits.restore_s)
        if kind in TROUBLES:
            return _of_trouble(kind, state)
        if state.phase is Phase.FAILED:
            told = state.trouble.value if state.trouble else state.detail
            raise PermanentError(f"what the control is planted into could not be restored: {told}", evidence=(state.detail,))
        if damage is not None and not state.damaged:
            return None
        found = compared(act, self.drill.house, claim, order, pin)
        told = "; ".join(found.differences[:_NAMED]) or "nothing differs"
        return Control(kind.value, caught(kind, state.damaged, found.differences), told)

    def _older(self, act: ActContext, claim: BackedUpClaim, pin: Pin) -> str | None:
        """A complete snapshot before the pin that holds something else; None where there is none."""
        house, claim = self.drill.house, place_of(claim, pin.origin)
        audit = audit_claim(act.backups, act.clock, house, claim, asked_for(claim, {claim.source_key: pin.repository_id}, 0.0))
        if not audit.points:
            raise TransientError(f"the snapshots of {claim.key} cannot be listed")
        for older in [p.snapshot_id for p in audit.points if p.complete and p.time < pin.time][:_LOOKED_INTO]:
            changes = act.backups.changes(repository_of(house, claim), older, pin.snapshot_id)
            if changes.vanished or changes.changed or changes.added:
                return older
        return None

    def by_hand(self) -> str:
        return "# a drill that nobody checks by hand: restore once more, flip one byte, and see that the comparison says so"


def _of_trouble(kind: Kind, state: Restore) -> Control:
    told = state.trouble.value if state.trouble else "restored"
    return Control(kind.value, state.phase is Phase.FAILED and state.trouble is TROUBLES[kind], told)


def _received(act: ActContext, claim: BackedUpClaim) -> int | None:
    """What all restores of this claim's controls have fetched, of those too that nothing could be planted into."""
    states = [act.drills.restored(scratch_name(claim, kind)) for kind in Kind]
    counts = [state.received for state in states if state.phase is not Phase.ABSENT]
    return None if None in counts else sum(count or 0 for count in counts)


def steps(drill: Drill) -> Iterator[PlantControl]:
    """The one."""
    yield PlantControl(drill)
