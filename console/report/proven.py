"""How each claim and database of a house stands: what of it was proven to come back, when, and when that is due again.

It goes by what is remembered (the journal, the kept evidence of drills) and looks at nothing. A simulated drill proves nothing of
a real house, and a proof of another repository than the lock file knows proves nothing of this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from cluster.backups.proofs import Kind, Proof, Proven, newest, proofs
from console.report.document import as_epoch, moment
from console.report.keeping import documents
from engine.errors import PermanentError
from engine.journal import read_lines
from engine.text.ages import to_come
from house.model import House
from rehearsal.outcome import DrillOutcome, DrillVerdict, from_json


class State(Enum):
    """How a backup stands."""

    PROVEN = "proven"
    DUE = "due"  # proven, and longer ago than the settings want
    NEVER = "never proven"


@dataclass(frozen=True)
class Standing:
    """One claim or database. Moments in seconds since the epoch, None where there is no proof (`due`: or it never is).

    `point` is when the newest restore point was made that was proven, `at` when that was, in which run and to which depth.
    """

    kind: Kind
    key: str
    state: State
    point: float | None = None
    at: float | None = None
    due: float | None = None
    depth: str = ""
    run: str = ""
    snapshot: str = ""


@dataclass(frozen=True)
class Odd:
    """What is told of one claim or database that cannot be counted as its proof, and why, in words."""

    kind: Kind
    key: str
    told: str


@dataclass(frozen=True)
class Memory:
    """Every proof that is remembered; those that could not be counted; and in words what cannot be asked what it proves."""

    found: tuple[Proven, ...]
    odd: frozenset[Odd]
    unread: tuple[str, ...]

    @property
    def not_counted(self) -> tuple[str, ...]:
        """All that could not be counted, in words."""
        return (*self.unread, *sorted(one.told for one in self.odd))

    def odd_of(self, standing: Standing) -> tuple[str, ...]:
        """What could not be counted for this one, in words."""
        return tuple(sorted(one.told for one in self.odd if (one.kind, one.key) == (standing.kind, standing.key)))


def remembered(house: House, known: Mapping[str, str], now: float) -> Memory:
    """All proofs until `now`; `known` maps claim key to the repository id of the lock file. Raises JournalDamaged."""
    lines, _ = read_lines(house.state_dir, lineage=house.id)
    noted, left = proofs(lines), []
    if unread := sum(one.told is None for one in noted):
        left.append(f"{unread} of the journal's proofs cannot be read: another version may have written them")
    drilled, unread_drills = _drilled(house)
    found, odd = [], set()
    for one in (*noted, *drilled):
        if one.told is not None and (wrong := _early(one, one.told, now) or _foreign(one.told, known)):
            odd.add(Odd(one.told.kind, one.told.key, wrong))
        elif one.told is not None:
            found.append(one)
    return Memory(tuple(found), frozenset(odd), (*left, *unread_drills))


def standings(house: House, memory: Memory, now: float) -> list[Standing]:
    """One for every declared claim and database: those never proven first, then what is due, then by the age of the proof."""
    wanted = [(Kind.CLAIM, claim.key) for claim in house.claims] + [(Kind.DATABASE, one.key) for one in house.databases]
    found = [_standing(kind, key, newest(memory.found, kind, key), house.evidence.prove_every, now) for kind, key in wanted]
    order = [State.NEVER, State.DUE, State.PROVEN]
    return sorted(found, key=lambda one: (order.index(one.state), one.at or 0.0, one.key))


def _standing(kind: Kind, key: str, proven: Proven | None, every: float, now: float) -> Standing:
    if proven is None or proven.told is None:
        return Standing(kind, key, State.NEVER)
    due = proven.at + every if every else None
    state = State.DUE if due is not None and due <= now else State.PROVEN
    told = proven.told
    return Standing(kind, key, state, as_epoch(told.point), proven.at, due, told.depth, proven.run, told.snapshot_id)


def _early(proven: Proven, proof: Proof, now: float) -> str:
    """Why a proof, or the restore point that it is of, cannot have been yet; "" where it can."""
    point = as_epoch(proof.point)
    if point is None:
        return f"a proof of {proof.key} in run {proven.run} does not say of which time it is"
    what = "a proof" if to_come(proven.at, now) else "a proven restore point" if to_come(point, now) else ""
    told = f"{what} of {proof.key} in run {proven.run} is still to come, on {moment(max(proven.at, point))}"
    return f"{told}: the clock was wrong then, or is now" if what else ""


def _foreign(proof: Proof, known: Mapping[str, str]) -> str:
    wanted = known.get(proof.key, "")
    if proof.kind is not Kind.CLAIM or not wanted or not proof.repository_id or wanted == proof.repository_id:
        return ""
    return f"a proof of {proof.key} is of repository {proof.repository_id[:8]}, and blackstart.lock.yaml knows {wanted[:8]}"


def _drilled(house: House) -> tuple[list[Proven], list[str]]:
    """What drills of this house have proven, and which of them do not count, and why."""
    found: list[Proven] = []
    left: list[str] = []
    for run, document in documents(house.state_dir):
        told = document.get("drill")
        if told is None:
            continue
        try:
            outcome = from_json(json.dumps(told))
        except PermanentError:
            left.append(f"the drill of run {run} cannot be read")
            continue
        if outcome.simulated and not house.simulated:
            left.append(f"the drill of run {run} was simulated: it proves nothing of a real house")
        elif document["verdict"]["word"] in (DrillVerdict.PASS.value, DrillVerdict.FAIL.value) and outcome.control.caught:
            found += _passed(run, outcome)
    return found, left


def _passed(run: str, outcome: DrillOutcome) -> Iterable[Proven]:
    """The claims that passed. A drill whose planted fault was not caught has shown nothing and is not asked."""
    for claim in outcome.claims:
        if claim.verdict is DrillVerdict.PASS and claim.snapshot and claim.snapshot_time is not None:
            left_out = f"; not compared: {', '.join(claim.not_compared)}" if claim.not_compared else ""
            depth = f"drilled: {', '.join(claim.compared)}{left_out}"
            point = moment(claim.snapshot_time)
            proof = Proof(Kind.CLAIM, claim.name, "", claim.snapshot, point, depth, "", claim.files or 0)
            yield Proven(run, outcome.started + outcome.seconds, proof)
