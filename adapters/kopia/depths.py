"""Looks into a repository of kopia as deep as is asked, and stops at the first depth that finds something wrong.

Indexes are held against the store by ourselves, so that a pack that is cut short is known before anything is read. Trees and data
are kopia's own work: it is what will restore. Chooses no snapshot, judges no age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from adapters.backups.results import WHOLE, Depth, Examination, Part, Verdict
from adapters.kopia.client import Client
from adapters.kopia.packs import Packs
from adapters.kopia.reading import Blob
from adapters.kopia.sayings import meaning, words
from adapters.process.results import ProgramFailed, ProgramTimedOut

_UNDIVIDED = "kopia reads a snapshot whole and not in parts: --depth read does"


@dataclass(frozen=True)
class Examiner:
    """One connection, through which one snapshot is looked into; `indexed` reads the indexes of the store that is listed so."""

    client: Client
    indexed: Callable[[Mapping[str, Blob]], Packs]

    def examine(self, snapshot_id: str, depth: Depth, part: Part = WHOLE) -> Examination:
        """As deep as `depth`; a part of the data is not to be had, and is looked at to its tree. Raises the Runner's errors."""
        reads = depth is Depth.READ and part == WHOLE
        reached = Depth.TREE if depth is Depth.READ and not reads else depth
        blobs = self.client.blobs()
        packs = Packs(blobs) if depth is Depth.LISTED else self.indexed(blobs)
        wrong = packs.hollow if depth is Depth.LISTED else packs.lost
        stored = packs.stored
        if wrong:
            return replace(self._needed(wrong, snapshot_id), stored=stored)
        if depth.holds(Depth.TREE) and (broken := self._broken(snapshot_id, read=reads)):
            return Examination(Verdict.UNREADABLE, None, broken, stored=stored)
        remarks = (*packs.remarks, *((_UNDIVIDED,) if reached is not depth else ()))
        found = Examination(Verdict.OK, reached, stored=stored, remarks=remarks, part=WHOLE if reads else None)
        if reached.holds(Depth.CHECKED) and (others := self._broken("", read=False)):
            return replace(found, verdict=Verdict.DAMAGED, detail=f"{others}; this one does not need it")
        if depth is not Depth.LISTED and (lost := packs.forgotten):
            return replace(found, verdict=Verdict.DAMAGED, detail=f"{lost}; this one does not need it")
        return found

    def _needed(self, lost: str, snapshot_id: str) -> Examination:
        """What is lost, and whether this snapshot needs it. Only reading tells: kopia's walk asks no pack for its length."""
        told = Examination(Verdict.UNREADABLE, None, lost)
        try:
            broken = self._broken(snapshot_id, read=False) or self._broken(snapshot_id, read=True)
        except ProgramTimedOut:
            return replace(told, detail=f"{lost}; no time was left to read whether this one needs it", hint=_MORE_TIME)
        if broken:
            return replace(told, detail=f"{lost}; {broken}", damaged=(snapshot_id,))
        return replace(
            told, verdict=Verdict.DAMAGED, depth=Depth.TREE, whole=(snapshot_id,), detail=f"{lost}; this one does not need it"
        )

    def _broken(self, snapshot_id: str, *, read: bool) -> str:
        """What kopia finds wrong in one snapshot, in all of them for "": "" for nothing. Raises for what is no damage."""
        percent = "100" if read else "0"
        try:
            self.client.ask("snapshot", "verify", f"--verify-files-percent={percent}", *filter(None, (snapshot_id,)))
        except ProgramFailed as error:
            verdict, _ = meaning(error.finished)
            if verdict is not Verdict.UNREADABLE:
                raise
            said = words(error.finished)
            first = next((line for line in said if line.startswith("error processing")), (said or ("it does not say what",))[0])
            return f"kopia snapshot verify ends with code {error.finished.code}: {first}"
        return ""


_MORE_TIME = "give it more time: limits.look"
