"""One drill as it was decided: which claims, which control first, when it began. Written down in its scratch namespace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.drills.results import Scratch
from engine.text.ages import within
from engine.text.digest import digest
from engine.text.jsontext import Malformed, read
from house.model import BackedUpClaim, House
from rehearsal.controls import Kind

PLAN = "plan"
FRESH_S = 24 * 3600.0
"""For so long a drill that was cut off is gone on with: later its snapshots are old, and its times say nothing."""
_READABLE = 40


@dataclass(frozen=True)
class Drill:
    """`run` is its id, `started` seconds since the epoch. `control` is the kind to begin with; where that cannot be planted the
    next one is. `not_looked_at` says what did not fit and why. `known`: claim key → repository id of the lock file. `expected`:
    seconds that earlier drills let expect, by the key of every claim that was ever measured; `fetched` the bytes that it took."""

    house: House
    run: str
    started: float
    claims: tuple[BackedUpClaim, ...]
    control: Kind
    not_looked_at: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)
    fetched: Mapping[str, int] = field(default_factory=dict)

    def plan(self) -> str:
        """What `resumed` reads back, beside the house."""
        return json.dumps(
            {
                "started": self.started, "claims": [claim.key for claim in self.claims], "control": self.control.value,
                "not_looked_at": list(self.not_looked_at), "expected": dict(self.expected), "fetched": dict(self.fetched),
            },
            sort_keys=True,
        )  # fmt: skip


def scratch_name(claim: BackedUpClaim, control: Kind | None = None) -> str:
    """The scratch claim of a claim, or that of a control on it: the same in every process."""
    tail = digest(claim.key, control.value if control else "")[:8]
    return f"{claim.claim[:_READABLE].rstrip('.-')}-{control.value if control else 'back'}-{tail}"


def resumed(house: House, scratch: Scratch | None, now: float, known: Mapping[str, str]) -> Drill | None:
    """The drill that an earlier process began and did not conclude; None where it is none of this house or too old."""
    if scratch is None or scratch.deleting:
        return None
    by_key = {claim.key: claim for claim in house.claims}

    def made(body: dict[str, Any]) -> Drill:
        return Drill(
            house, scratch.drill, float(body["started"]), tuple(by_key[key] for key in body["claims"]), Kind(body["control"]),
            tuple(str(one) for one in body["not_looked_at"]), known,
            {str(key): float(seconds) for key, seconds in body.get("expected", {}).items()},
            {str(key): int(count) for key, count in body.get("fetched", {}).items()},
        )  # fmt: skip

    try:
        drill = read(scratch.note(PLAN), made, ours=True)
    except Malformed:
        return None
    return drill if within(drill.started, now, FRESH_S) else None
