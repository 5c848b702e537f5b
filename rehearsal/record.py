"""What a drill has written down in its scratch namespace, as values: pins, what came of each claim, fence, control, outcome.

Steps hand each other nothing in memory: the next one, and the next process, reads it here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from adapters.drills.port import Drills, DrillsView
from adapters.drills.results import FenceTrial, FenceWall, Scratch
from adapters.volsync.results import Snapshot
from engine.errors import PermanentError
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
    probe_from,
)

FENCE, CONTROL, OUTCOME = "fence", "control", "outcome"
CANARY, SENTINEL = "canary", "sentinel"
TRIED = "fence-tried"


@dataclass(frozen=True)
class Pin:
    """The restore point of one claim: its size in bytes, when it was made and when its restore was ordered (epoch seconds).

    `failing` is why the claim fails although this can be restored ("" for nothing), `remark` what is worth a look.
    """

    repository_id: str
    snapshot_id: str
    time: float
    size: int
    ordered: float
    failing: str = ""
    remark: str = ""

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
        """The claim's restore point, None while none is chosen."""
        return Pin(**json.loads(text)) if (text := self.scratch.note(_key("pin", claim))) else None

    def done(self, claim: BackedUpClaim) -> ClaimOutcome | None:
        """What came of it, None while that is not known."""
        return claim_from_json(text) if (text := self.scratch.note(_key("done", claim))) else None

    def probed(self, claim: BackedUpClaim) -> Probed | None:
        """What its probes have seen, None while that is not known."""
        if not (text := self.scratch.note(_key("probed", claim))):
            return None
        body = json.loads(text)
        return Probed(body["asked"], body["at"], tuple(probe_from(one) for one in body["outcomes"]))

    @property
    def fence(self) -> tuple[FencePart, ...]:
        """What the trials of the fence said, () before they were held."""
        return tuple(FencePart(**one) for one in json.loads(self.scratch.note(FENCE) or "[]"))

    @property
    def tried(self) -> float | None:
        """When the fence was tried (epoch seconds), None before that."""
        return float(text) if (text := self.scratch.note(TRIED)) else None

    @property
    def control(self) -> Control:
        """What came of the control; without a name while it was not held."""
        text = self.scratch.note(CONTROL)
        return Control(**json.loads(text)) if text else Control()

    @property
    def sentinel(self) -> Sentinel | None:
        """The word that was chosen for the canary, None before that."""
        text = self.scratch.note(SENTINEL)
        return Sentinel(**json.loads(text)) if text else None

    @property
    def canary(self) -> CanaryOutcome | None:
        """What became of the canary, None while that is not known."""
        text = self.scratch.note(CANARY)
        return canary_from(json.loads(text)) if text else None

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
