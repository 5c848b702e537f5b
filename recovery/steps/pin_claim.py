"""Choose one restore point per claim and write it into the hold's record, before anything else is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.backups.results import Verdict
from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from cluster.audit import audit_claim, repository_of
from cluster.by_hand import record_by_hand, restic_by_hand
from cluster.standing import Way, standing
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId, if_any
from house.model import BackedUpClaim, House
from recovery.asof import as_time
from recovery.choice import Choice, asked_for, candidates, chosen, preflight_of, weighed
from recovery.record import entry_of

NOT_HELD = "run `invoke cluster.bootstrap` first: it holds every declared claim that has no volume yet"


@dataclass(frozen=True)
class PinClaim(BaseStep):
    """The newest complete snapshot not later than `as_of` (seconds since the epoch, 0.0: now). Chosen once, kept by a resume."""

    house: House
    claim: BackedUpClaim
    as_of: float = 0.0
    known_id: str = ""
    system = "kubernetes"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*preflight_of(self.claim), "hold.in-place", if_any(f"hold.declare/{self.claim.key}"),
                if_any(f"recovery.hold-again/{self.claim.key}"))

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.pin/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"restore point of {self.claim.key} chosen"

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.claim.open_as} {self.as_of:.0f}"

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        entry = there.entry
        if entry is None or not (there.held or there.through):
            return unknown(f"not held: {there.told}", hint=NOT_HELD)
        if there.way is Way.HELD and entry.pin and (gone := self._gone(look, entry)) is not None:
            return gone
        if entry.pin:
            if self.as_of and there.held and as_time(entry.pin) > self.as_of:
                raise PermanentError(
                    f"{self.claim.key} is pinned to a later time than --as-of says",
                    evidence=(f"pinned: {entry.pin}", f"state: {entry.state.value}"),
                    hint="a restore that has begun is never turned to another restore point: go on without --as-of, and once it is "
                    "released restore it again by name with --as-of",
                )
            return satisfied(f"snapshot {entry.snapshot_id[:8]} of {entry.pin}")
        audit = audit_claim(look.backups, look.clock, self.house, self.claim, asked_for(self.claim, self.known_id, self.as_of))
        if audit.verdict in (Verdict.UNREACHABLE, Verdict.UNKNOWN):
            return unknown(f"the backup cannot be seen: {audit.verdict.value}", audit.detail)
        point = candidates(audit, self.as_of, look.clock.now())[0]
        choice = chosen(audit, point)
        told = weighed(look.backups, look.claims, self.house, audit, point)
        none_yet = "" if choice.needs_consent else "no restore point chosen yet"
        return missing("; ".join(filter(None, (none_yet, told))), *choice.words, identity=choice)

    def _gone(self, look: LookContext, entry: HeldClaim) -> Probe | None:
        """None unless the repository was seen without the pinned snapshot: then another may take its place, by consent alone."""
        seen = look.backups.look(repository_of(self.house, self.claim))
        # A pin that was written by hand has a time only.
        there = any(p.snapshot_id == entry.snapshot_id if entry.snapshot_id else p.pin == entry.pin for p in seen.points)
        if there or seen.verdict not in (Verdict.OK, Verdict.EMPTY):
            return None
        audit = audit_claim(look.backups, look.clock, self.house, self.claim, asked_for(self.claim, self.known_id, self.as_of))
        choice = chosen(audit, candidates(audit, self.as_of, look.clock.now())[0], entry)
        return missing("the pinned snapshot is gone from the repository", *choice.words, identity=choice)

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS if isinstance(seen.identity, Choice) and seen.identity.needs_consent else Hazard.NONE

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = entry_of(act.hold, self.claim)
        audit = audit_claim(act.backups, act.clock, self.house, self.claim, asked_for(self.claim, self.known_id, self.as_of))
        points = candidates(audit, self.as_of, act.clock.now())
        # What was seen, and consented to where that was needed, counts: not what is newest by now.
        point = next((p for p in points if isinstance(seen.identity, Choice) and seen.identity.is_of(p)), None)
        if point is None or entry is None:
            raise PermanentError(f"{self.claim.key}: the restore point that was seen is gone", evidence=seen.evidence)
        notes.put("snapshot", point.snapshot_id)
        act.hold.put(
            replace(entry, repository_id=audit.repository_id, snapshot_id=point.snapshot_id, pin=point.pin, image="")
        )

    def by_hand(self) -> str:
        claim = self.claim
        pinned = record_by_hand({f"rd.{claim.namespace}.{claim.destination}": "$PIN"})
        listed = restic_by_hand(claim, "snapshots")
        return f"{listed} && read -rp 'time of the one to restore, in UTC as 2027-01-15T07:00:00Z: ' PIN && {pinned}"


def steps(house: House, claims: tuple[BackedUpClaim, ...], as_of: float, known: dict[str, str]) -> Iterator[PinClaim]:
    """One for every claim to restore; `known` maps claim key to the repository id of the lock file."""
    for claim in claims:
        yield PinClaim(house, claim, as_of, known.get(claim.key, ""))
