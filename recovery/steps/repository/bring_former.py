"""Bring what a repository was at a moment to a place of its own in the same bucket: by consent, and nothing is overwritten."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace

from adapters.backups.results import Repository
from adapters.backups.stores.places import s3_address
from adapters.context import ActContext, LookContext
from cluster.backups.audit import repository_of
from engine.errors import PermanentError, TransientError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.text.words import number, some
from house.model import BackedUpClaim, House
from recovery.points.former import Former, former, lying, stamp


@dataclass(frozen=True)
class Undeletion(Identity):
    """A former state of one repository, file by file in its version, and where it is copied to."""

    repository: str
    into: str
    moment: int
    files: str
    told: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.told


@dataclass(frozen=True)
class BringFormer(BaseStep):
    """The address `into` has every file of the state at `moment` (epoch seconds)."""

    house: House
    place: BackedUpClaim
    moment: float
    into: str
    system = "backups"

    @property
    def id(self) -> StepId:
        return StepId(f"backup.undelete/{self.place.source_key}")

    @property
    def title(self) -> str:
        return f"{self.place.source_key} as it was on {stamp(self.moment)} brought back"

    @property
    def inputs(self) -> str:
        return f"{self.place.open_as} {self.into} {int(self.moment)}"

    def hazard(self, seen: Probe) -> Hazard:
        # Nothing goes by it; but it fills somebody's store, and a person is to say which state is the good one.
        return Hazard.NONE if seen.identity is None else Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        state, lacking = self._look(look)
        told = f"{number(len(state.snapshots), 'snapshot')} in {number(len(state.files), 'file')}, {number(state.size, 'byte')}"
        if not lacking:
            return satisfied(f"{told}, at {self.into}")
        words = f"{told} of {stamp(self.moment)} copied to {self.into}"
        identity = Undeletion(self.place.open_as, self.into, int(self.moment), state.digest, words)
        return missing(f"{number(lacking, 'file')} of {len(state.files)} not at {self.into}", words, identity=identity)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        state, _ = self._look(act)
        if not isinstance(seen.identity, Undeletion) or seen.identity.files != state.digest:
            raise TransientError(f"{self.place.source_key} of {stamp(self.moment)} is not what was consented to")
        notes.put("into", self.into)
        act.versions.bring(self.repository, self.into, state.files)

    @property
    def repository(self) -> Repository:
        """The one whose former state it is."""
        return repository_of(self.house, self.place)

    @property
    def brought(self) -> Repository:
        """What comes of it."""
        return replace(self.repository, address=self.into)

    def _look(self, doors: LookContext | ActContext) -> tuple[Former, int]:
        """The state, and how many of its files are not there yet. PermanentError for a state that was none, and for a place where
        something else lies."""
        state = former(doors.versions.history(self.repository), self.moment)
        if not state.whole:
            raise PermanentError(
                f"on {stamp(self.moment)} there was no repository at {self.place.open_as}, as far as the store has kept it",
                hint="another time: without --as-of the moments are listed at which something went",
            )
        there = {one.name: one.size for one in lying(doors.versions.history(self.brought))}
        wanted = {one.name: one.size for one in state.files}
        if strange := sorted(name for name, size in there.items() if wanted.get(name) != size):
            raise PermanentError(
                f"something else lies at {self.into}: nothing is put among it",
                evidence=(some(strange),),
                hint="another --as-of makes another place; or move it away, if it is nobody's",
            )
        return state, len(wanted.keys() - there.keys())

    def by_hand(self) -> str:
        old, new = (s3_address(address) for address in (self.place.open_as, self.into))
        paths = [shlex.quote(f":s3:{one.bucket}/{one.prefix}") for one in (old, new) if one is not None]
        own = "--include /config --include '/{keys,snapshots,index,data}/**'"
        copy = f"rclone copy --s3-version-at {stamp(self.moment)} {own} {' '.join(paths)}"
        return f"{copy}   # with RCLONE_S3_ENDPOINT, RCLONE_S3_ACCESS_KEY_ID and RCLONE_S3_SECRET_ACCESS_KEY"
