"""Take one lock file out of a backup repository whose owner is dead: by consent to that very lock, never a living owner's."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.context import ActContext, LookContext
from cluster.backups.audit import repository_of
from cluster.by_hand import restic_by_hand
from engine.errors import PermanentError
from engine.probe import Identity, Probe, changing, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.waiting import pause
from house.model import BackedUpClaim, House
from recovery.locks import WATCH_S, Judged, Owner, judged, owners

_AGAIN_S = 30.0


@dataclass(frozen=True)
class DeadLock(Identity):
    """One lock file of one repository, by its name, which is another each time that its owner renews it."""

    repository: str
    lock_id: str
    told: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.told


@dataclass(frozen=True)
class LiftLock(BaseStep):
    """The lock file is not there. `place` is the claim as one of its places has it; `lock_id` its name, or how that begins."""

    house: House
    place: BackedUpClaim
    lock_id: str
    system = "backups"

    @property
    def id(self) -> StepId:
        return StepId(f"backup.unlock/{self.place.source_key}/{self.lock_id[:8]}")

    @property
    def title(self) -> str:
        return f"dead lock {self.lock_id[:8]} of {self.place.source_key} gone"

    @property
    def inputs(self) -> str:
        return f"{self.place.open_as} {self.lock_id[:8]}"

    def hazard(self, seen: Probe) -> Hazard:
        # restic takes no harm from it, but another restic that lives would: only a person may say that none does.
        return Hazard.NONE if seen.identity is None else Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        found = self._found(look)
        if found is None:
            return satisfied("it is gone")
        if not found.dead:
            return changing(found.told)
        return missing(found.told, identity=DeadLock(self.place.open_as, found.lock.lock_id, found.told))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        found = self._found(act)
        if found is None:
            return
        if not found.dead:
            raise PermanentError(
                f"lock {self.lock_id[:8]} of {self.place.source_key} is not taken away: its owner may live",
                evidence=(found.told,), next_command=f"invoke dr.unlock {self.place.key}",
            )  # fmt: skip
        notes.put("lock", found.told)
        if found.watch and not self._holds_still(act, found.lock.lock_id):
            return  # renewed under another name, or given back: its owner lives
        act.locks.remove(repository_of(self.house, self.place), found.lock.lock_id)

    def _holds_still(self, act: ActContext, lock_id: str) -> bool:
        """Whether the lock is there for as long as it is watched."""
        until = act.clock.monotonic() + WATCH_S
        while act.clock.monotonic() < until:
            pause(act.clock, _AGAIN_S)
            if all(one.lock_id != lock_id for one in act.locks.locks(repository_of(self.house, self.place))):
                return False
        return True

    def _found(self, doors: LookContext | ActContext) -> Judged | None:
        there = doors.locks.locks(repository_of(self.house, self.place))
        lock = next((one for one in there if one.lock_id.startswith(self.lock_id)), None)
        if lock is None:
            return None
        return judged(lock, owners(doors, (lock,)).get(lock.host, Owner()), doors.clock.now())

    def by_hand(self) -> str:
        # restic's own passes over a lock file that it cannot read, and says nothing.
        return restic_by_hand(self.place, "unlock   # while nobody is at work; --remove-all takes one that cannot be read, too")
