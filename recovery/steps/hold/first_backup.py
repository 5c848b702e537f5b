"""See one backup of the real data made and complete after the release: only then is the house as safe as before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adapters.backups.results import Repository, RepositoryLook, RestorePoint, Verdict
from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from adapters.ports import BackupsView
from adapters.volsync.results import SourceBackups
from adapters.volsync.trigger import OURS, is_of
from cluster.backups.audit import repository_of
from cluster.backups.counting import is_future, of_the_mover
from cluster.backups.sources import place_of
from cluster.hold.standing import standing
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.text.ages import SKEW_S
from engine.text.words import number
from engine.waiting import pause, wait_until
from house.model import BackedUpClaim, House
from recovery.points.losses import Losses, losses
from recovery.record import pinned

SAVED = re.compile(r"\bsnapshot ([0-9a-f]{8,64}) saved\b")
NUDGES = 3
NUDGE_S = 2.0


@dataclass(frozen=True)
class FirstBackup(BaseStep):
    """A complete snapshot in the repository that was restored from, begun after the claim was released, with files in it.

    Where nothing backs up to that one it is the claim's first place.
    """

    house: House
    claim: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.first-backup/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} backed up again"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.release/{self.claim.key}",)

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        entry = there.entry
        if entry is None or not there.through:
            # What is in the repository says nothing of a claim that is held, or that is another one by now.
            return unknown(f"not released: {there.told}")
        place = self._place(entry)
        source = look.claims.source(place.namespace, place.source)
        if not source.present:
            return changing(f"ReplicationSource {place.source} is not there")
        seen = look.backups.look(repository_of(self.house, place))
        if seen.verdict not in (Verdict.OK, Verdict.EMPTY):
            return unknown(f"the repository could not be seen: {seen.verdict.value}", seen.detail)
        if place.origin == entry.origin and entry.repository_id and seen.repository_id != entry.repository_id:
            raise PermanentError(
                f"{self.claim.key} is not backed up to the repository that it was restored from",
                evidence=(f"restored from {entry.repository_id[:8]}", f"there now: {seen.repository_id[:8]}"),
                hint="has its Secret another address by now, or was the repository there made anew?",
                next_command=f"invoke dr.list {self.claim.key}",
            )
        point = after_release(seen, entry, source, look.clock.now())
        if point is None:
            if source.running:
                return changing("VolSync is backing up")
            why = "its source is paused" if source.paused else source.condition
            return missing("no backup since the restore", why, *not_of_ours(seen, entry, source, look.clock.now()))
        files = files_in(look.backups, repository_of(self.house, place), point)
        if not files:
            return missing(f"snapshot {point.snapshot_id[:8]} since the restore holds no file")
        if source.schedule and is_of(source.manual, trigger_of(entry)):
            return missing("backed up, but our trigger is still on: the schedule is off")
        told = self._beside_the_pin(look.backups, entry, point, seen)
        return satisfied(f"snapshot {point.snapshot_id[:8]} of {point.pin}, {number(files, 'file')}; against the pin: {told}")

    def _place(self, entry: HeldClaim) -> BackedUpClaim:
        """Where the first backup goes: to what was restored from; where nothing backs up to that, to the claim's first place."""
        restored = place_of(self.claim, entry.origin)
        return restored if restored.source != self.claim.source else self.claim

    def _beside_the_pin(self, backups: BackupsView, entry: HeldClaim, point: RestorePoint, seen: RepositoryLook) -> str:
        """What it has lost of the pinned snapshot and gained, in words; PermanentError when that is more than may be."""
        place, restored = self._place(entry), place_of(self.claim, entry.origin)
        there = seen if place.origin == restored.origin else backups.look(repository_of(self.house, restored))
        if not entry.snapshot_id or not any(p.snapshot_id == entry.snapshot_id for p in there.points):
            return "not compared, for the pinned snapshot is not there any more"
        before = backups.listing(repository_of(self.house, restored), entry.snapshot_id)
        after = backups.listing(repository_of(self.house, place), point.snapshot_id)
        for listing in (before, after):
            if not listing.complete:
                raise TransientError(f"the list of a snapshot of {self.claim.key} broke off", evidence=(listing.detail,))
        lost = losses(before.entries, after.entries)
        if lost.above(self.claim.requirement.max_loss):
            raise too_much_lost(self.claim, entry, point, lost)
        return lost.words

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = pinned(act.hold, self.claim)
        there = standing(act.hold, act.claims, self.claim)
        if not there.through:
            raise PermanentError(f"{self.claim.key} is not released any more: {there.told}", next_command="invoke dr.plan")
        namespace, source = self.claim.namespace, self._place(entry).source
        if act.claims.source(namespace, source).paused:
            raise PermanentError(
                f"{self.claim.key} is restored and released, and nothing backs it up: its ReplicationSource {source} is paused",
                hint="take `paused` out of it where Git declares it, let Flux apply that, and type the same again",
                next_command=f"kubectl -n {namespace} get replicationsource {source} -o yaml",
            )
        if not self._due_one(act, entry) and not self._asked_for(act, entry):
            # VolSync credits a run that has begun with a trigger which comes while it is at work: asked for once more.
            self._asked_for(act, entry)
        act.claims.back_up_now(namespace, source, "")

    def _due_one(self, act: ActContext, entry: HeldClaim) -> bool:
        """Whether the backup that the hold refused was due and comes by a nudge: then the user's schedule stays as it is."""
        for _ in range(NUDGES):
            act.claims.nudge("ReplicationSource", self.claim.namespace, self._place(entry).source)
            pause(act.clock, NUDGE_S)
            self._wait(act, entry, lambda state: not state.running)
            if self._there(act, entry):
                return True
        return False

    def _asked_for(self, act: ActContext, entry: HeldClaim) -> bool:
        trigger = act.claims.back_up_now(self.claim.namespace, self._place(entry).source, trigger_of(entry))
        self._wait(act, entry, lambda state: state.last_manual == trigger and not state.running)
        return self._there(act, entry)

    def _there(self, act: ActContext, entry: HeldClaim) -> bool:
        place = self._place(entry)
        source = act.claims.source(place.namespace, place.source)
        seen = act.backups.look(repository_of(self.house, place))
        return after_release(seen, entry, source, act.clock.now()) is not None

    def _wait(self, act: ActContext, entry: HeldClaim, ended: Callable[[SourceBackups], bool]) -> None:
        def look() -> bool | None:
            return ended(act.claims.source(self.claim.namespace, self._place(entry).source)) or None

        wait_until(act.clock, look, limit_s=self.house.limits.restore_s, what=f"the backup of {self.claim.key}")

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get replicationsource {self.claim.source} -o yaml   # lastSyncTime, result"


def too_much_lost(claim: BackedUpClaim, entry: HeldClaim, point: RestorePoint, lost: Losses) -> PermanentError:
    """The first backup lacks more of the pinned snapshot than the settings let pass."""
    return PermanentError(
        f"the first backup of {claim.key} lacks {len(lost.evidence)} of {number(lost.paths, 'restored path')}",
        evidence=(
            f"snapshot {point.snapshot_id[:8]} of {point.pin} against the pinned {entry.snapshot_id[:8]} of {entry.pin}",
            f"gone: {lost.lost} of {number(lost.size, 'byte')}; at most {lost.share(claim.requirement.max_loss)} of either may be",
            *lost.shown,
        ),
        hint="backups go on, and retention will forget the pinned snapshot in its time: if this is not the application's own "
        f"doing, `invoke dr.hold {claim.key}` holds the claim now. "
        "How much may be gone is `max_loss` in backups.claims of the settings",
        next_command=f"invoke dr.hold {claim.key}",
    )


def trigger_of(entry: HeldClaim) -> str:
    """Our manual trigger on the source: one of its own for each hold, the same for every resume of it (numbered once it ran)."""
    return f"{OURS}{entry.since:.0f}"


def files_in(backups: BackupsView, repository: Repository, point: RestorePoint) -> int:
    """How many files it holds, counted in its own list where it carries no summary. TransientError from half a list."""
    if point.files is not None:
        return point.files
    listing = backups.listing(repository, point.snapshot_id)
    if not listing.complete:
        raise TransientError(f"the list of snapshot {point.snapshot_id[:8]} broke off", evidence=(listing.detail,))
    return sum(entry.kind == "file" for entry in listing.entries)


def after_release(seen: RepositoryLook, entry: HeldClaim, source: SourceBackups, now: float) -> RestorePoint | None:
    """VolSync's newest complete snapshot that was begun after the release, other than the pinned one, with some file in it.

    A mover that was at work when the claim was held again saves the old data, and may do so at any time before the release.
    What our own trigger has saved counts by name: the node's clock, which dates a snapshot, need not agree with ours. Any other
    that is dated later than `now` (epoch seconds) can have been made at any time, and one begun after this source's last run ended
    is not of this claim: another cluster's mover, with the same host and path, backs up to the same repository.
    """
    ours = SAVED.findall("\n".join(source.log)) if is_of(source.last_manual, trigger_of(entry)) else []
    released = entry.released or entry.since
    for point in of_the_mover(seen.points):
        if not point.complete or point.snapshot_id == entry.snapshot_id or point.files == 0:
            continue
        named = any(point.snapshot_id.startswith(name) for name in ours)
        if named or (released <= point.time <= source.last_sync + SKEW_S and not is_future(point, now)):
            return point
    return None


def not_of_ours(seen: RepositoryLook, entry: HeldClaim, source: SourceBackups, now: float) -> tuple[str, ...]:
    """The newest snapshot since the release that this source cannot have made, in words; nothing where there is none."""
    since = max(entry.released or entry.since, source.last_sync + SKEW_S)
    found = next((p for p in of_the_mover(seen.points) if p.time > since and not is_future(p, now)), None)
    if found is None or source.running:
        return ()
    return (
        f"snapshot {found.snapshot_id[:8]} of {found.pin} is not this source's, whose last run had ended: another cluster backs up "
        "to the same repository, and its retention may forget what was restored from",
    )


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[FirstBackup]:
    """One for every claim to restore."""
    for claim in claims:
        yield FirstBackup(house, claim)
