"""How a drill came out, as one frozen value, and as JSON and back. Knows no port and no page.

Times are in seconds, moments in seconds since the epoch, sizes in bytes. What was not measured is None and what nobody looked
at stands in `not_looked_at`: neither is ever a zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

from engine.errors import PermanentError
from engine.text.jsontext import Malformed, read

SCHEMA = 1
_LARGEST = 1e11
"""No moment and no time in seconds is that large."""
_MOST = 10**24
"""Nor any number of bytes or files so large."""


class DrillVerdict(Enum):
    """What a drill, or one claim of it, has shown. UNVERIFIED: nothing was shown, neither that it works nor that it does not."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    UNVERIFIED = "UNVERIFIED"


@dataclass(frozen=True)
class FencePart:
    """One part of the fence: whether a trial has proven it, and what that trial saw."""

    name: str
    proven: bool
    detail: str = ""


@dataclass(frozen=True)
class Control:
    """The fault that the drill planted into itself. `caught`: it came out FAIL, and by its own name.

    `came_out` is what the drill said of it, "" while it was not asked. Name "" says that there was none. `claim` is the one that
    it was planted into a copy of, `received_bytes` what its restores have fetched, as of a claim.
    """

    name: str = ""
    caught: bool = False
    came_out: str = ""
    claim: str = ""
    received_bytes: int | None = None


@dataclass(frozen=True)
class CanaryOutcome:
    """What became of the fresh word that the drill had VolSync back up: PASS where exactly it came back out of the store.

    `seconds` from its order to the end of its backup; None where that was not seen.
    """

    verdict: DrillVerdict = DrillVerdict.UNVERIFIED
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class ProbeOutcome:
    """What a claim's own probe (sqlite, files, a command) said of the restored data."""

    name: str
    verdict: DrillVerdict
    detail: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage of the drill and how long it took: `claim` is "" for what is everybody's."""

    name: str
    seconds: float
    claim: str = ""


@dataclass(frozen=True)
class ClaimOutcome:
    """One claim's part. `snapshot` is the pinned snapshot's id, `snapshot_time` when it was made, both None where none was found.

    `rpo_seconds` is the age of that snapshot when the drill began, `rto_seconds` from the order of its restore to its last
    probe. `compared` and `not_compared` are what of the entries was held against the snapshot, in words. `missed` are objectives
    of the settings that it did not meet; `expected_seconds` what earlier drills let expect of `rto_seconds`, None where none did.
    `received_bytes` is what its restore has fetched, as its pod's network counted it; None where that could not be told.
    """

    name: str
    verdict: DrillVerdict
    reason: str = ""
    snapshot: str | None = None
    snapshot_time: float | None = None
    restored_bytes: int | None = None
    files: int | None = None
    compared: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    rpo_seconds: float | None = None
    rto_seconds: float | None = None
    probes: tuple[ProbeOutcome, ...] = ()
    missed: tuple[str, ...] = ()
    expected_seconds: float | None = None
    received_bytes: int | None = None


@dataclass(frozen=True)
class Egress:
    """What restores have fetched out of the stores, or will: `bytes` of all that were measured, `unmeasured` are not in it.

    `cost` in `currency` is None where anything was not measured or is `unpriced`: nobody has said what its store takes for a GB.
    """

    bytes: int
    cost: float | None
    currency: str = ""
    unmeasured: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """How long a recovery of these claims will take, by what drills have measured: `claims` are in it, `unmeasured` are not.

    `seconds` is None where nothing was measured. It counts restores, comparisons and probes, as many at once as the settings
    allow; not the machines, and nobody's sleep. `egress` is what its restores will fetch, None where nobody has measured that.
    """

    seconds: float | None
    claims: int
    unmeasured: tuple[str, ...] = ()
    egress: Egress | None = None


@dataclass(frozen=True)
class DrillOutcome:
    """One drill, whole. `reasons` are the sentences behind the verdict, the heaviest first; a PASS has none but warnings.

    `simulated`: it was held in the lab, and says nothing about the real house. `egress` is what its restores have fetched, those of
    the control too; None where none of them was measured.
    """

    run: str
    house: str
    verdict: DrillVerdict
    reasons: tuple[str, ...]
    started: float
    seconds: float
    claims: tuple[ClaimOutcome, ...]
    fence: tuple[FencePart, ...]
    control: Control
    not_looked_at: tuple[str, ...]
    simulated: bool
    stages: tuple[Stage, ...] = ()
    warnings: tuple[str, ...] = ()
    canary: CanaryOutcome = CanaryOutcome()
    forecast: Forecast | None = None
    egress: Egress | None = None

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back as the same value."""
        return json.dumps({"schema": SCHEMA, **_plain(asdict(self))}, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> DrillOutcome:
    """The outcome that was written so. PermanentError for what no drill of this version or an older one wrote."""

    def made(body: dict[str, Any]) -> DrillOutcome:
        if body.pop("schema") != SCHEMA:
            raise Malformed("another schema")
        return _outcome(body)

    try:
        return read(text, made, ours=True)
    except Malformed as error:
        raise PermanentError("this is not the outcome of a rehearsal", evidence=(str(error),)) from error


def claim_to_json(outcome: ClaimOutcome) -> str:
    """One claim's part by itself."""
    return json.dumps(_plain(asdict(outcome)), separators=(",", ":"), sort_keys=True)


def claim_from_json(text: str) -> ClaimOutcome:
    """One claim's part, as `claim_to_json` wrote it. Raises as `from_json`."""
    try:
        return read(text, _claim, ours=True)
    except Malformed as error:
        raise PermanentError("this is not what came of a claim in a rehearsal", evidence=(str(error),)) from error


def _claim(body: Mapping[str, Any]) -> ClaimOutcome:
    # Older drills measured against nothing, and no bytes of the network.
    body = {"missed": [], "expected_seconds": None, "received_bytes": None} | dict(body)
    probes = tuple(probe_from(one) for one in body["probes"])
    return ClaimOutcome(**typed(ClaimOutcome, body) | {"verdict": DrillVerdict(body["verdict"]), "probes": probes})


def probe_from(body: Mapping[str, Any]) -> ProbeOutcome:
    """As it was written. Raises KeyError, TypeError or ValueError."""
    return ProbeOutcome(**typed(ProbeOutcome, body) | {"verdict": DrillVerdict(body["verdict"])})


def canary_from(body: Mapping[str, Any]) -> CanaryOutcome:
    """As it was written. Raises KeyError, TypeError or ValueError."""
    return CanaryOutcome(**typed(CanaryOutcome, body) | {"verdict": DrillVerdict(body["verdict"])})


def fence_part_from(body: Mapping[str, Any]) -> FencePart:
    """As it was written. Raises KeyError, TypeError or ValueError."""
    return FencePart(**typed(FencePart, body))


def control_from(body: Mapping[str, Any]) -> Control:
    """As it was written. Raises KeyError, TypeError or ValueError."""
    return Control(**typed(Control, {"claim": "", "received_bytes": None} | dict(body)))


def _forecast(body: Mapping[str, Any]) -> Forecast:
    body = {"egress": None} | dict(body)
    return Forecast(**typed(Forecast, body) | {"egress": egress_from(body["egress"])})


def egress_from(body: Mapping[str, Any] | None) -> Egress | None:
    """As it was written. Raises KeyError, TypeError or ValueError."""
    return Egress(**typed(Egress, body)) if body is not None else None


def _outcome(body: Mapping[str, Any]) -> DrillOutcome:
    # Drills before this version had none of these.
    body = {"canary": _plain(asdict(CanaryOutcome())), "forecast": None, "egress": None} | dict(body)
    return DrillOutcome(**typed(DrillOutcome, body) | {
        "verdict": DrillVerdict(body["verdict"]),
        "claims": tuple(_claim(one) for one in body["claims"]),
        "fence": tuple(map(fence_part_from, body["fence"])),
        "control": control_from(body["control"]),
        "canary": canary_from(body["canary"]),
        "forecast": _forecast(body["forecast"]) if body["forecast"] is not None else None,
        "egress": egress_from(body["egress"]),
        "stages": tuple(Stage(**typed(Stage, one)) for one in body["stages"]),
    })  # fmt: skip


_PLAIN: Mapping[str, tuple[type, ...]] = {
    "str": (str,), "bool": (bool,), "int | None": (int, type(None)), "str | None": (str, type(None)),
    "int": (int,), "float": (int, float), "float | None": (int, float, type(None)),
}  # fmt: skip


def typed(kind: type, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's values, each of the type that the field says: a file is outside input. Raises TypeError or KeyError."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        value, wanted = body[field.name], str(field.type)
        if wanted == "tuple[str, ...]":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise Malformed(f"{field.name} is no list of texts")
            value = tuple(value)
        elif wanted in _PLAIN and (type(value) not in _PLAIN[wanted]):
            raise Malformed(f"{field.name} is no {wanted}")
        elif type(value) in (int, float) and not 0 <= value < (_LARGEST if "float" in wanted else _MOST):
            raise Malformed(f"{field.name} is a number that nothing here is")
        values[field.name] = value
    if body.keys() - values.keys():
        raise KeyError(f"unknown: {', '.join(sorted(body.keys() - values.keys()))}")
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
