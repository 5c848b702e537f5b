"""Back one claim up while its application rests: what is saved is then all that it has, for as long as that rests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adapters.backups.results import RepositoryLook, RestorePoint, Verdict
from adapters.context import ActContext, LookContext
from adapters.volsync.results import SourceBackups
from adapters.volsync.trigger import CHECKPOINT, is_of
from cluster.backups.audit import repository_of
from cluster.backups.counting import of_the_mover
from cluster.hold.standing import standing
from cluster.steps.rest_app import RestApp
from engine.errors import PermanentError
from engine.probe import Condition, Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.waiting import wait_until
from house.model import BackedUpClaim, House
from recovery.steps.hold.first_backup import SAVED

Ended = Callable[[SourceBackups], bool]

@dataclass(frozen=True)
class SaveClaim(BaseStep):
    """The last run of this place's source was asked for while the application rested, and its snapshot is complete and there."""

    house: House
    place: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"checkpoint.save/{self.place.source_key}")

    @property
    def title(self) -> str:
        return f"{self.place.source_key} saved at rest"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"stop.app/{self.place.key}",)

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return f"{self.place.source} {self.place.open_as}"

    def probe(self, look: LookContext) -> Probe:
        refuse_held(look, self.place)
        source = look.claims.source(self.place.namespace, self.place.source)
        if not source.present:
            return unknown(f"ReplicationSource {self.place.source} is not there")
        if not is_of(source.manual, CHECKPOINT) or source.last_manual != source.manual:
            return changing("a backup is at work") if source.running else missing("not saved since its application rests")
        return judged(look.backups.look(repository_of(self.house, self.place)), source)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        namespace, name = self.place.namespace, self.place.source
        refuse_held(act, self.place)
        if act.claims.source(namespace, name).paused:
            raise PermanentError(
                f"{self.place.source_key} is not saved: its ReplicationSource {name} is paused",
                hint="take `paused` out of it where Git declares it, and let Flux apply that",
                next_command=f"kubectl -n {namespace} get replicationsource {name} -o yaml",
            )
        # One that is at work may have begun before the application came to rest.
        self._wait(act, lambda source: not source.running)
        if RestApp(self.house, self.place).probe(act).condition is not Condition.SATISFIED:
            raise PermanentError(f"the application of {self.place.key} does not rest any more", next_command="invoke dr.checkpoint")
        trigger = act.claims.back_up_now(namespace, name, CHECKPOINT)
        notes.put("trigger", trigger)
        self._wait(act, lambda source: source.last_manual == trigger and not source.running)

    def _wait(self, act: ActContext, ended: Ended) -> None:
        def look() -> bool | None:
            return ended(act.claims.source(self.place.namespace, self.place.source)) or None

        wait_until(act.clock, look, limit_s=self.house.limits.restore_s, what=f"the backup of {self.place.source_key}")

    def by_hand(self) -> str:
        patch = '{"spec":{"trigger":{"schedule":null,"manual":"now"}}}'
        return f"kubectl -n {self.place.namespace} patch replicationsource {self.place.source} --type merge -p '{patch}'"


def refuse_held(doors: LookContext | ActContext, claim: BackedUpClaim) -> None:
    """PermanentError for a claim that is held: no backup of it is admitted, so it cannot be saved."""
    there = standing(doors.hold, doors.claims, claim)
    if there.held:
        raise PermanentError(
            f"{claim.key} is not saved: it is held, and no backup of it is admitted",
            hint="restore it, or release it, first: what is in it now may be nothing that anybody wants",
            next_command="invoke dr.hold",
        )


def judged(seen: RepositoryLook, source: SourceBackups) -> Probe:
    """What the run that was asked for has left in its repository."""
    if seen.verdict not in (Verdict.OK, Verdict.EMPTY):
        return unknown(f"the repository could not be seen: {seen.verdict.value}", seen.detail)
    point = saved_by(seen, source)
    if point is None:
        return missing("its last run left no snapshot that is there", source.result, *source.log[-3:])
    if not point.complete or point.files == 0:
        return missing(f"snapshot {point.snapshot_id[:8]} is not complete, or holds no file")
    return satisfied(f"snapshot {point.snapshot_id[:8]} of {point.pin}")


def saved_by(seen: RepositoryLook, source: SourceBackups) -> RestorePoint | None:
    """The snapshot that the source's last run says that it has saved; None where it says none, or that is not there."""
    names = SAVED.findall("\n".join(source.log))
    return next((p for p in of_the_mover(seen.points) if any(p.snapshot_id.startswith(name) for name in names)), None)


def places_of(house: House) -> tuple[BackedUpClaim, ...]:
    """Every claim as each of its sources backs it up. A place without a source of its own is written to by nobody here."""
    found = {(claim.key, place.source): place for claim in house.claims for place in reversed(claim.sources)}
    return tuple(place for (_, source), place in sorted(found.items()) if source)


def steps(house: House) -> Iterator[SaveClaim]:
    """One for every source of every claim."""
    for place in places_of(house):
        yield SaveClaim(house, place)
