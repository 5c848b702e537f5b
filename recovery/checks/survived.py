"""Which of two restore points a claim goes back to where its volume of a lost cluster may be there still, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from adapters.context import LookContext
from adapters.kept.results import KeptState, KeptVolume
from engine.probe import Probe, Risk, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from house.model import BackedUpClaim, House
from recovery.points.survivors import Survivor, There, brought_of, whereabouts
from recovery.points.weighing import WINS, leaves_nothing

_BY_CONSENT = "by consent (invoke dr.plan, then --approve its digest)"


@dataclass(frozen=True)
class Forgone(Risk):
    """A volume of before that a restore leaves behind, and what it was found to be ("" where nobody has looked)."""

    claim: str
    volume: str
    found: str
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.claim} goes back to its backup, without volume {self.volume} of before: {self.words}"


@dataclass(frozen=True)
class Survived(BaseCheck):
    """The volume wins by what was seen on it, or leaves nothing behind; where neither is so a person has to answer for it."""

    house: House
    claim: BackedUpClaim
    survivor: Survivor | None
    as_of: float = 0.0

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.survivor/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"backup or volume of before for {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        volume, entry = brought_of(look, self.claim.key), look.hold.record().claim(self.claim.namespace, self.claim.claim)
        if volume is not None and volume.state in (KeptState.IN_USE, KeptState.PROMISED):
            return satisfied(f"the volume of before won: {volume.name} is {volume.state.value}")
        if entry is not None and entry.pin:
            return satisfied(f"the backup of {entry.pin} was chosen: its restore is on its way, or done")
        if volume is None and self.survivor is None:
            return satisfied("no volume of before is left to be chosen")
        if volume is None or volume.found is None:
            return self._not_looked_at(volume, look)
        found = volume.found
        told = f"volume {volume.name} is {found.word.value} ({found.told})"
        if found.word in WINS and not self.as_of:
            return satisfied(f"the volume of before wins: {told}; the backup stays as it is")
        stays = f"it stays: back with invoke dr.undo {self.claim.key}, gone with --let-go"
        if leaves_nothing(found):
            return satisfied(f"the backup wins: {told}; {stays}")
        return missing(
            f"the backup would win, and leave something behind: {told}", *_by_time(self.as_of),
            identity=Forgone(self.claim.key, volume.name, found.word.name, f"{found.word.value}; {stays}"),
            hint=f"the volume instead: invoke dr.undo {self.claim.key}; the backup all the same: {_BY_CONSENT}",
        )  # fmt: skip

    def _not_looked_at(self, volume: KeptVolume | None, look: LookContext) -> Probe:
        if volume is None and self.survivor is not None and self.survivor.where.there is There.UNKNOWN:
            now = whereabouts(look, self.house, self.survivor.volume)
            if now.there is There.NO:
                return satisfied(f"the storage of volume {self.survivor.volume.name} of before does not have it")
            if now.there is There.UNKNOWN:
                return self._nobody_knows(self.survivor, now.why)
        name = volume.name if volume is not None else self.survivor.volume.name if self.survivor is not None else ""
        where = f"{self.survivor.volume.driver} {self.survivor.volume.handle}" if self.survivor is not None else name
        return missing(
            f"{where}, which {self.claim.key} had before, may hold newer data than the backup: nobody has looked",
            identity=Forgone(self.claim.key, name, "", "nobody has looked at it, and it may be newer; it stays where it is"),
            hint=f"look first: {_look(self.claim.key)}; the backup all the same: {_BY_CONSENT}",
        )

    def _nobody_knows(self, survivor: Survivor, why: str) -> Probe:
        key, name = self.claim.key, survivor.volume.name
        told = f"whether volume {name}, which {key} had before, is there still, nobody can say"
        risk = Forgone(key, name, "UNKNOWN", "nobody can say whether it is there still, and it may be newer; it stays where it is")
        seen = unknown(told, why, hint=f"have that answered, or look at it: {_look(key)}; the backup all the same: {_BY_CONSENT}")
        return replace(seen, identity=risk)

    def by_hand(self) -> str:
        return "kubectl get pv   # which are Released and were of the claim; invoke dr.hold tells what was found on each"


def _look(key: str) -> str:
    return f"invoke dr.survivors --claims {key}"


def _by_time(as_of: float) -> tuple[str, ...]:
    return ("another time was asked for, which only the backup has",) if as_of else ()


def checks(
    house: House, claims: Collection[BackedUpClaim], survivors: Collection[Survivor], brought: Mapping[str, KeptVolume],
    as_of: float,
) -> Iterator[Survived]:  # fmt: skip
    """One for each claim that has a volume of before: one that may be there, or is written here again (`brought`, by claim)."""
    known = {one.claim.key: one for one in survivors}
    for claim in claims:
        if claim.key in known or claim.key in brought:
            yield Survived(house, claim, known.get(claim.key), as_of)
