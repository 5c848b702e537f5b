"""Begin to bring back the volume that a claim had before: held, and both named by a consent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState, KeptVolume, Word
from cluster.hold.holding import demand_hold, until_no_mover
from cluster.hold.standing import Standing, held_anew, standing
from cluster.hold.suspension import demand_maker, kustomization_of, refuse_foreign
from cluster.machines.absent import silent_servers
from cluster.storage.findings import moment
from engine.errors import PermanentError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.points.kept import NOBODY, demand_volume


@dataclass(frozen=True)
class ComesBack(Identity):
    """The claim that goes out of use (NOBODY where none lives), and the kept volume that comes in its place."""

    claim: str
    uid: str
    volume: str
    kept_of: str
    since: float
    word: str = ""
    found: str = field(default="", compare=False)

    @property
    def words(self) -> tuple[str, ...]:
        """For a person, one line a thing."""
        goes = "nothing lives in its place" if self.uid == NOBODY else f"claim {self.claim} uid {self.uid} goes, its volume is kept"
        if not self.kept_of:
            known = f"volume {self.volume} of before comes back, which an inventory of {moment(self.since)} knew"
            return goes, f"{known}; {self.found or 'nobody has looked at it'}"
        return goes, f"volume {self.volume} comes back, as claim uid {self.kept_of} left it on {moment(self.since)}"

    @property
    def takes_nothing(self) -> bool:
        """Whether nothing that lives goes, and the volume won against the backup, which stays."""
        return self.uid == NOBODY and self.word in (Word.SAME.name, Word.NEWER.name)

    def __str__(self) -> str:
        return "; ".join(self.words)


@dataclass(frozen=True)
class BeginUndo(BaseStep):
    """No backup and no fill of the claim is admitted, and the record says which volume comes back in the place of which claim."""

    house: House
    claim: BackedUpClaim
    volume: str
    system = "kubernetes"
    needs = ("hold.in-place",)

    @property
    def id(self) -> StepId:
        return StepId(f"undo.begin/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} held, to have its volume of before back"

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.volume}"

    def hazard(self, seen: Probe) -> Hazard:
        # A volume of before that won by the rule takes nothing from anybody: nothing lives there, and the backup stays.
        free = isinstance(seen.identity, ComesBack) and seen.identity.takes_nothing
        return Hazard.NONE if free else Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        volume = demand_volume(look.kept, self.volume, self.claim.key)
        if self._begun(there, volume):
            return satisfied(f"volume {volume.name} comes back")
        if volume.state is KeptState.IN_USE:
            return satisfied(f"volume {volume.name} is in use already")
        if there.now.alive:
            demand_maker(look.flux, self.claim)
        else:
            refuse_foreign(kustomization_of(look.flux, self.claim), self.claim)
        named = self._named(there, volume)
        return missing("what is in use now goes out of use", *named.words, identity=named)

    def _begun(self, there: Standing, volume: KeptVolume) -> bool:
        """Nothing but the claim that was named may stand in the way: one that came to life since needs a consent of its own."""
        if there.entry is None or there.entry.undo != volume.name or not there.held:
            return False
        return not there.now.alive or there.now.uid == there.entry.replaces or there.now.volume == volume.handle

    def _named(self, there: Standing, volume: KeptVolume) -> ComesBack:
        uid = there.now.uid if there.now.alive else NOBODY
        found = volume.found
        word, told = (found.word.name, f"{found.word.value}: {found.told}") if found is not None else ("", "")
        return ComesBack(self.claim.key, uid, volume.name, volume.uid, volume.since, word, told)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        named = self._named(there, demand_volume(act.kept, self.volume, self.claim.key))
        if seen.identity != named:
            raise PermanentError(
                f"{self.claim.key} is not what the consent named any more",
                evidence=(*seen.evidence, "now:", *named.words),
                next_command=f"invoke dr.undo {self.claim.key}",
            )
        notes.put("volume", named.volume)
        anew = held_anew(there, self.claim, act.clock.now())
        act.hold.put(replace(anew, undo=named.volume, replaces=named.uid, reason=f"undo: volume {named.volume} comes back"))
        demand_hold(act.hold, f"{self.claim.key} is not held", silent_servers(act.proxmox, act.cluster, self.house))
        until_no_mover(act.claims, act.clock, self.claim, self.house.limits.restore_s)

    def by_hand(self) -> str:
        return f"invoke dr.hold {self.claim.key}   # then keep the claim's volume by its reclaim policy"
