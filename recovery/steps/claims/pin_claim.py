"""Choose one restore point per claim and write it into the hold's record, before anything else is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from adapters.backups.results import Verdict
from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from cluster.backups.audit import ClaimAudit, repository_of
from cluster.backups.sources import NO_SECRETS, Unsound, audit_sources, place_of, restorable
from cluster.by_hand import record_by_hand, restic_by_hand
from cluster.hold.standing import Way, standing
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId, if_any
from house.model import BackedUpClaim, House
from recovery.destination import refuse_never
from recovery.movers import SAME, on_nas, other_repository
from recovery.points.asof import as_time
from recovery.points.choice import Choice, asked_for, at_point, candidates, chosen, preflight_of, weighed
from recovery.record import entry_of

NOT_HELD = "run `invoke cluster.bootstrap` first: it holds every declared claim that has no volume yet"


@dataclass(frozen=True)
class PinClaim(BaseStep):
    """The newest complete snapshot not later than `as_of` (seconds since the epoch, 0.0: now). Chosen once, kept by a resume."""

    house: House
    claim: BackedUpClaim
    as_of: float = 0.0
    known: Mapping[str, str] = field(default_factory=dict)
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
            where = f"; {entry.chosen}" if entry.chosen else ""
            return satisfied(f"snapshot {entry.snapshot_id[:8]} of {entry.pin}{where}")
        if len(self.claim.sources) > 1 and (waits := self._no_mover_yet(look)) is not None:
            return waits
        audit = self._audit(look)
        if audit.verdict in (Verdict.UNREACHABLE, Verdict.UNKNOWN):
            return unknown(f"the backup cannot be seen: {audit.verdict.value}", audit.detail)
        point = candidates(audit, self.as_of, look.clock.now())[0]
        choice = chosen(audit, point)
        told = weighed(look.backups, look.claims, self.house, audit, point)
        none_yet = "" if choice.needs_consent else "no restore point chosen yet"
        beside = audit.detail if audit.passed else ""
        return missing("; ".join(filter(None, (none_yet, told, beside))), *choice.words, identity=choice)

    def _audit(self, doors: LookContext | ActContext, unsound: Unsound = NO_SECRETS) -> ClaimAudit:
        """The place to restore from as it is now; never one whose Secret is in `unsound`, nor one on a NAS that is not whole."""
        asked = asked_for(self.claim, self.known, self.as_of)
        unsound = {**on_nas(doors, self.house, self.claim), **unsound}
        return audit_sources(doors.backups, doors.clock, self.house, self.claim, asked, unsound)

    def _no_mover_yet(self, look: LookContext) -> Probe | None:
        """Which place is taken depends on what movers see, and those are made like the destination's."""
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        if state.present:
            return None
        refuse_never(look.flux.state(), self.claim)
        return changing(f"ReplicationDestination {self.claim.destination} is not there yet: Flux has not applied it")

    def _gone(self, look: LookContext, entry: HeldClaim) -> Probe | None:
        """None unless the repository was seen without the pinned snapshot: then another may take its place, by consent alone."""
        seen = look.backups.look(repository_of(self.house, place_of(self.claim, entry.origin)))
        # A pin that was written by hand has a time only.
        there = any(p.snapshot_id == entry.snapshot_id if entry.snapshot_id else p.pin == entry.pin for p in seen.points)
        if there or seen.verdict not in (Verdict.OK, Verdict.EMPTY):
            return None
        audit = self._audit(look)
        choice = chosen(audit, candidates(audit, self.as_of, look.clock.now())[0], entry)
        return missing("the pinned snapshot is gone from the repository", *choice.words, identity=choice)

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS if isinstance(seen.identity, Choice) and seen.identity.needs_consent else Hazard.NONE

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = entry_of(act.hold, self.claim)
        audit = self._audit(act)
        if isinstance(seen.identity, Choice) and seen.identity.origin != audit.claim.origin:
            # One that did not answer a moment ago may do so by now: nothing older is taken for want of a second look.
            raise TransientError(f"{self.claim.key}: another place is the freshest by now", evidence=(audit.detail,))
        seen_here, audit = audit, self._seen_by_movers(act, audit, notes)
        points = candidates(audit, self.as_of, act.clock.now())
        # What was seen, and consented to where that was needed, counts: not what is newest by now.
        point = next((p for p in points if isinstance(seen.identity, Choice) and seen.identity.is_of(p)), None)
        if audit is not seen_here and not chosen(audit, points[0]).needs_consent:
            point = points[0]
        if point is None or entry is None:
            what = f"{self.claim.key}: the restore point that was seen is gone"
            raise PermanentError(what, evidence=seen.evidence, hint="a plan sees what is left", next_command="invoke dr.plan")
        notes.put("snapshot", point.snapshot_id)
        act.hold.put(replace(at_point(entry, audit, point), image=""))

    def _seen_by_movers(self, act: ActContext, audit: ClaimAudit, notes: Notes) -> ClaimAudit:
        """The audit of the freshest place that movers see as we do. PermanentError when none is left.

        Of a claim with one place that is asked where it is restored.
        """
        unsound: dict[str, tuple[Verdict, str]] = {}
        while len(self.claim.sources) > 1 and restorable(audit, self.as_of) is not None:
            why = other_repository(act, self.house, audit.claim, audit.repository_id)
            if not why:
                break
            unsound[audit.claim.repository_secret] = (Verdict.FOREIGN, why)
            notes.put("passed over", why)
            audit = self._audit(act, unsound)
        if unsound and restorable(audit, self.as_of) is None:
            raise PermanentError(f"{self.claim.key} has no place left to restore from", evidence=(audit.detail,), hint=SAME)
        return audit

    def by_hand(self) -> str:
        claim = self.claim
        pinned = record_by_hand({f"rd.{claim.namespace}.{claim.destination}": "$PIN"})
        listed = restic_by_hand(claim, "snapshots")
        return f"{listed} && read -rp 'time of the one to restore, in UTC as 2027-01-15T07:00:00Z: ' PIN && {pinned}"


def steps(house: House, claims: tuple[BackedUpClaim, ...], as_of: float, known: Mapping[str, str]) -> Iterator[PinClaim]:
    """One for every claim to restore; `known` maps claims (`source_key`) to the repository ids of the lock file."""
    for claim in claims:
        yield PinClaim(house, claim, as_of, known)
