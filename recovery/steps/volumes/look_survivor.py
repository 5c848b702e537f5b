"""Look at a volume that outlived its cluster, through a claim of ours: held against the newest backup, and noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from adapters.backups.results import Verdict
from adapters.context import ActContext, LookContext
from adapters.kept.results import Found, KeptState, KeptVolume, aside_of
from adapters.volsync.results import Snapshot
from cluster.backups.audit import repository_of
from cluster.backups.sources import audit_sources
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.waiting import wait_until
from house.model import BackedUpClaim, House
from recovery.compared.against import both
from recovery.destination import refuse_never
from recovery.points.choice import asked_for, candidates
from recovery.points.survivors import Survivor, volume_of
from recovery.points.weighing import WINS, alone, weigh

_NO_ANSWER = (Verdict.UNREACHABLE, Verdict.UNKNOWN)
_NO_BACKUP = (Verdict.MISSING, Verdict.EMPTY, Verdict.UNREADABLE)


@dataclass(frozen=True)
class LookSurvivor(BaseStep):
    """Every byte of it is read, in a pod like the mover's that mounts it read-only. Its own claim has it not meanwhile."""

    house: House
    survivor: Survivor
    known: Mapping[str, str] = field(default_factory=dict)
    system = "volsync"
    ready_s = 300.0

    @property
    def claim(self) -> BackedUpClaim:
        """Whose volume it was."""
        return self.survivor.claim

    @property
    def id(self) -> StepId:
        return StepId(f"survivor.look/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"volume of before of {self.claim.key} held against its backup"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"survivor.bring/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.survivor.volume.name}"

    def probe(self, look: LookContext) -> Probe:
        found = volume_of(look, self.survivor)
        if found is None:
            return unknown(f"volume {self.survivor.volume.name} is not in the cluster")
        if found.found is None:
            if not look.claims.destination(self.claim.namespace, self.claim.destination).present:
                refuse_never(look.flux.state(), self.claim)
                return changing(f"ReplicationDestination {self.claim.destination} is not there yet: Flux has not applied it")
            return missing("nobody has looked at it yet")
        if found.state is KeptState.ASIDE:
            return missing("looked at; the claim of ours that it was read through is there still")
        return satisfied(f"{winner(found.found)}: {found.found.word.value}, {found.found.told}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        volume = volume_of(act, self.survivor)
        if volume is None:
            what = f"volume {self.survivor.volume.name} of {self.claim.key} is not in the cluster any more"
            raise PermanentError(what, hint="the same again writes it anew, where its storage has it")
        found = volume.found or self._found(act, volume)
        notes.put("found", f"{volume.name}: {found.word.value}")
        act.kept.note(volume.name, found)

    def _found(self, act: ActContext, volume: KeptVolume) -> Found:
        """What it is. TransientError where the backup, or the volume, cannot be looked at now: nothing is said then."""
        audit = audit_sources(act.backups, act.clock, self.house, self.claim, asked_for(self.claim, self.known, 0.0))
        if audit.verdict in _NO_ANSWER:
            raise TransientError(f"the backup of {self.claim.key} cannot be seen: {audit.verdict.value}", evidence=(audit.detail,))
        # Before anything is made for it: a backup of which nobody says what it is stops the look.
        point = None if audit.verdict in _NO_BACKUP else candidates(audit, 0.0, act.clock.now())[0]
        act.kept.open_aside(volume.name)
        name = aside_of(self.claim.claim)

        def bound() -> bool | None:
            return act.claims.claim(self.claim.namespace, name).alive or None

        wait_until(act.clock, bound, limit_s=self.house.limits.release_s, what=f"claim {self.claim.namespace}/{name} to be bound")
        if point is None:
            why = audit.verdict.value
            return _twice(volume.name, lambda: alone(act.claims.contents(self.claim.namespace, name, hashed=True), why))
        snapshot = Snapshot(audit.repository_id, point.snapshot_id)

        def weighed() -> Found:
            asked = partial(act.claims.compare, self.claim.namespace, name, self.claim.destination, snapshot)
            wanted, compared, _ = both(act.backups, repository_of(self.house, audit.claim), point.snapshot_id, asked)
            if not wanted.complete:
                raise TransientError(f"the list of snapshot {point.snapshot_id[:8]} broke off", evidence=(wanted.detail,))
            return weigh(wanted, compared, point.snapshot_id, point.time, self.claim.requirement.max_loss)

        return _twice(volume.name, weighed)

    def by_hand(self) -> str:
        claim = f"kubectl -n {self.claim.namespace} get pvc {aside_of(self.claim.claim)}"
        return f"{claim}   # mounted read-only in a pod: is it newer than the backup, and whole?"


def _twice(volume: str, weighed: Callable[[], Found]) -> Found:
    """What speaks for the volume is believed at once; against it only what two looks have found alike, for the word stays on it.
    TransientError where they differ."""
    first = weighed()
    if first.word in WINS:
        return first
    again = weighed()
    if again.word in WINS or again.word is not first.word:
        told = (f"first: {first.word.value}, {first.told}", f"then: {again.word.value}, {again.told}")
        raise TransientError(f"two looks at volume {volume} say different things of it", evidence=told)
    return again


def winner(found: Found) -> str:
    """Which of the two restore points a restore takes, in words."""
    return "the volume of before wins" if found.word in WINS else "the backup wins over the volume of before"


def steps(house: House, survivors: tuple[Survivor, ...], known: Mapping[str, str]) -> Iterator[LookSurvivor]:
    """One for every volume that may have outlived the cluster; `known` as in `recovery.points.choice.asked_for`."""
    for one in survivors:
        yield LookSurvivor(house, one, known)
