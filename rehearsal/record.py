"""What a drill has written down in its scratch namespace, as values: pins, what came of each claim, fence, control, outcome.

Steps hand each other nothing in memory: the next one, and the next process, reads it here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from adapters.drills.port import Drills, DrillsView
from adapters.drills.results import FenceTrial, FenceWall, Scratch
from adapters.volsync.results import Snapshot
from engine.errors import PermanentError
from engine.text.jsontext import Malformed, read
from house.model import BackedUpClaim
from rehearsal.outcome import (
    CanaryOutcome,
    ClaimOutcome,
    Control,
    FencePart,
    ProbeOutcome,
    canary_from,
    claim_from_json,
    claim_to_json,
    control_from,
    fence_part_from,
    probe_from,
    typed,
)

T = TypeVar("T")

FENCE, CONTROL, OUTCOME = "fence", "control", "outcome"
CANARY, SENTINEL = "canary", "sentinel"
TRIED = "fence-tried"


@dataclass(frozen=True)
class Pin:
    """The restore point of one claim: its size in bytes, when it was made and when its restore was ordered (epoch seconds).

    `failing` is why the claim fails although this can be restored ("" for nothing), `remark` what is worth a look. `origin` is the
    Secret of the place that it is in, "" for the claim's first one.
    """

    repository_id: str
    snapshot_id: str
    time: float
    size: int
    ordered: float
    failing: str = ""
    remark: str = ""
    origin: str = ""

    @property
    def snapshot(self) -> Snapshot:
        """By its ids."""
        return Snapshot(self.repository_id, self.snapshot_id)


@dataclass(frozen=True)
class Sentinel:
    """The canary's word, when its backup was ordered, and for how long it took (None while it goes on)."""

    word: str
    ordered: float
    seconds: float | None = None


@dataclass(frozen=True)
class Probed:
    """What the probes of one claim have seen, when the last one had ended (epoch seconds), and the digest of what was asked."""

    asked: str
    at: float
    outcomes: tuple[ProbeOutcome, ...]


@dataclass(frozen=True)
class Record:
    """The notes of one drill."""

    scratch: Scratch

    def pin(self, claim: BackedUpClaim) -> Pin | None:
        """The claim's restore point, None while none is chosen. PermanentError for a note that no drill wrote, as all of these."""
        return self._read(_key("pin", claim), lambda told: Pin(**typed(Pin, told)))

    def done(self, claim: BackedUpClaim) -> ClaimOutcome | None:
        """What came of it, None while that is not known."""
        return claim_from_json(text) if (text := self.scratch.note(_key("done", claim))) else None

    def probed(self, claim: BackedUpClaim) -> Probed | None:
        """What its probes have seen, None while that is not known."""

        def made(told: Any) -> Probed:
            return Probed(str(told["asked"]), float(told["at"]), tuple(map(probe_from, told["outcomes"])))

        return self._read(_key("probed", claim), made)

    @property
    def fence(self) -> tuple[FencePart, ...]:
        """What the trials of the fence said, () before they were held."""
        return self._read(FENCE, lambda told: tuple(map(fence_part_from, told))) or ()

    @property
    def tried(self) -> float | None:
        """When the fence was tried (epoch seconds), None before that."""
        return self._read(TRIED, float)

    @property
    def control(self) -> Control:
        """What came of the control; without a name while it was not held."""
        return self._read(CONTROL, control_from) or Control()

    @property
    def sentinel(self) -> Sentinel | None:
        """The word that was chosen for the canary, None before that."""
        return self._read(SENTINEL, lambda told: Sentinel(**typed(Sentinel, told)))

    @property
    def canary(self) -> CanaryOutcome | None:
        """What became of the canary, None while that is not known."""
        return self._read(CANARY, canary_from)

    def _read(self, key: str, made: Callable[[Any], T]) -> T | None:
        if not (text := self.scratch.note(key)):
            return None
        try:
            return read(text, made, ours=True)
        except Malformed as error:
            raise PermanentError(
                f"the drill's note {key} cannot be read: another hand or version wrote it", evidence=(str(error),),
                hint="nothing that the drill says counts then: clear it away and hold another",
                next_command="invoke dr.rehearse --clean",
            ) from error  # fmt: skip

    @property
    def outcome(self) -> str:
        """The whole drill's outcome as JSON, "" while it is not concluded."""
        return self.scratch.note(OUTCOME)


def record_of(drills: DrillsView, drill: str) -> Record | None:
    """The record of this drill; None while its scratch namespace is not there, is another's, or is going."""
    found = drills.scratch()
    return Record(found) if found is not None and found.drill == drill and not found.deleting else None


def demanded(drills: DrillsView, drill: str) -> Record:
    """As `record_of`. PermanentError where there is none."""
    found = record_of(drills, drill)
    if found is None:
        raise PermanentError("the drill's scratch namespace is gone", hint="somebody has cleared it: rehearse again")
    return found


def put_pin(drills: Drills, claim: BackedUpClaim, pin: Pin) -> None:
    """Write down the claim's restore point."""
    drills.note(_key("pin", claim), json.dumps(asdict(pin)))


def put_done(drills: Drills, claim: BackedUpClaim, outcome: ClaimOutcome) -> None:
    """Write down what came of it."""
    drills.note(_key("done", claim), claim_to_json(outcome))


def put_probed(drills: Drills, claim: BackedUpClaim, probed: Probed) -> None:
    """Write down what its probes have seen."""
    outcomes = [asdict(one) | {"verdict": one.verdict.value} for one in probed.outcomes]
    drills.note(_key("probed", claim), json.dumps({"asked": probed.asked, "at": probed.at, "outcomes": outcomes}))


def put_fence(drills: Drills, trials: tuple[FenceTrial, ...], now: float) -> tuple[FencePart, ...]:
    """Write down how the trials came out, and when; a wall that none was held of is not proven."""
    told = {trial.wall: trial for trial in trials}
    parts = tuple(
        FencePart(wall.value, told[wall].proven, told[wall].detail) if wall in told else FencePart(wall.value, False, "not tried")
        for wall in FenceWall
    )
    drills.note(FENCE, json.dumps([asdict(part) for part in parts]))
    drills.note(TRIED, str(now))
    return parts


def put_sentinel(drills: Drills, sentinel: Sentinel) -> None:
    """Write down the canary's word, before it is sent."""
    drills.note(SENTINEL, json.dumps(asdict(sentinel)))


def put_canary(drills: Drills, outcome: CanaryOutcome) -> None:
    """Write down what became of the canary."""
    drills.note(CANARY, json.dumps(asdict(outcome) | {"verdict": outcome.verdict.value}))


def put_control(drills: Drills, control: Control) -> None:
    """Write down what came of the control."""
    drills.note(CONTROL, json.dumps(asdict(control)))


def _key(what: str, claim: BackedUpClaim) -> str:
    # A namespace has no dots, and neither slash nor colon may stand in a key of a ConfigMap.
    return f"{what}.{claim.namespace}.{claim.claim}"
