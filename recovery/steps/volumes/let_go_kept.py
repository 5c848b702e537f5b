"""Let what is kept of a claim go: by consent to each volume, for its data are gone then."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState, KeptVolume
from cluster.storage.findings import moment
from engine.errors import PermanentError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.text.words import number
from recovery.points.kept import kept_of, on_its_way


@dataclass(frozen=True)
class LetGo(Identity):
    """Kept volumes, by name, and the claims whose data they hold."""

    volumes: tuple[tuple[str, str], ...]
    told: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return "; ".join(self.told)


@dataclass(frozen=True)
class LetKeptGo(BaseStep):
    """Nothing is kept of the claim. One that is in use, or promised, loses our mark alone."""

    namespace: str
    claim: str
    system = "kubernetes"

    @property
    def key(self) -> str:
        """`namespace/claim`."""
        return f"{self.namespace}/{self.claim}"

    @property
    def id(self) -> StepId:
        return StepId(f"undo.let-go/{self.key}")

    @property
    def title(self) -> str:
        return f"what is kept of {self.key} let go"

    @property
    def inputs(self) -> str:
        return self.key

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.NONE if seen.identity is None else Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        self._refuse_undoing(look)
        found = kept_of(look.kept, self.key)
        if not found:
            return satisfied("nothing is kept")
        named = _named(found)
        told = tuple(map(_told, found))
        return missing(number(len(found), "kept volume"), *told, identity=named)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        self._refuse_undoing(act)
        found = kept_of(act.kept, self.key)
        if _named(found) != seen.identity:
            raise PermanentError(
                f"what is kept of {self.key} is not what the consent named any more",
                evidence=(*seen.evidence, "now:", *map(_told, found)), next_command=f"invoke dr.undo {self.key} --let-go",
            )  # fmt: skip
        for one in found:
            notes.put("let go", f"{one.name} of claim uid {one.uid}")
            act.kept.let_go(one.name)

    def _refuse_undoing(self, doors: LookContext | ActContext) -> None:
        entry = doors.hold.record().claim(self.namespace, self.claim)
        if entry is not None and on_its_way(entry):
            raise PermanentError(
                f"an undo of {self.key} is on its way: nothing that is kept of it goes meanwhile",
                evidence=(f"volume {entry.undo} comes back",), next_command=f"invoke dr.undo {self.key}",
            )  # fmt: skip

    def by_hand(self) -> str:
        return f"kubectl get pv   # those that are Released and were {self.key}: kubectl delete pv NAME"


def _named(found: tuple[KeptVolume, ...]) -> LetGo | None:
    """What is lost with it: of one that a claim has nothing is."""
    free = [one for one in found if one.state not in (KeptState.IN_USE, KeptState.PROMISED)]
    return LetGo(tuple((one.name, one.uid) for one in free), tuple(map(_told, free))) if free else None


def _told(one: KeptVolume) -> str:
    after = "stays, for its own policy is to" if one.policy != "Delete" else "is deleted by its storage"
    told = f"volume {one.name} ({one.size or 'of unknown size'}) of claim uid {one.uid}, kept on {moment(one.since)}"
    if one.state in (KeptState.IN_USE, KeptState.PROMISED):
        return f"{told}, is {one.state.value}: our mark alone is taken off"
    return f"{told}, {after}"
