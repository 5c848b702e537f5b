"""From what a drill wrote down to its verdict, and from a run's report what only that knows. Knows no port.

PASS needs everything: a proven fence, every claim passed, a canary that came back, a control that was caught. One FAIL of a claim
or of the canary is the drill's, unless the control slipped through: then nothing that the drill says counts, and it is UNVERIFIED.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.drills.results import FenceWall
from cluster.backups.sources import place_of
from engine.report import Outcome as StepOutcome
from engine.report import Report, StepReport
from house.model import BackedUpClaim
from rehearsal.drill import Drill
from rehearsal.egress import Fetched, egress_of
from rehearsal.judging import with_probes
from rehearsal.measuring import forecast_of, measured, of_whole, remarks, unshown, with_egress
from rehearsal.outcome import (
    CanaryOutcome,
    ClaimOutcome,
    Control,
    DrillOutcome,
    DrillVerdict,
    Egress,
    FencePart,
    Forecast,
    Stage,
)
from rehearsal.record import Record

NOT_REACHED = "nothing is known of it: the drill did not come that far"
_AREA = "rehearsal."


def concluded(drill: Drill, record: Record, now: float) -> DrillOutcome:
    """The drill's outcome by its record. `now` in seconds since the epoch."""
    claims = tuple(_of(drill, record, claim) for claim in drill.claims)
    pins = [(claim.key, pin) for claim in drill.claims if (pin := record.pin(claim)) is not None]
    warnings = [f"{key}: {pin.remark}" for key, pin in pins if pin.remark]
    objectives = drill.house.rehearsal.objectives
    warnings += [line for one in claims for line in remarks(one, objectives.of(one.name))]
    canary = record.canary or CanaryOutcome(detail=NOT_REACHED)
    found = judged(drill, claims, record.fence, record.control, now, canary, tuple(warnings))
    return replace(found, egress=_egress(drill, record, claims))


def _of(drill: Drill, record: Record, claim: BackedUpClaim) -> ClaimOutcome:
    done = record.done(claim)
    if done is None:
        return ClaimOutcome(claim.key, DrillVerdict.UNVERIFIED, NOT_REACHED)
    demanded = drill.house.rehearsal
    outcome = with_probes(done, demanded.probes_of(claim.key), record.probed(claim), record.pin(claim))
    return measured(outcome, demanded.objectives.of(claim.key), drill.expected.get(claim.key))


def _forecast(drill: Drill, claims: tuple[ClaimOutcome, ...]) -> Forecast:
    """Of a recovery of every required claim, by what earlier drills and this one have measured."""
    now = {one.name: one.rto_seconds for one in claims if one.rto_seconds is not None}
    fetched = {
        one.name: one.received_bytes for one in claims
        if one.received_bytes is not None and one.verdict is DrillVerdict.PASS
    }  # fmt: skip
    required = tuple(claim for claim in drill.house.claims if claim.requirement.required)
    found = forecast_of((claim.key for claim in required), dict(drill.expected) | now, drill.house.limits)
    return with_egress(found, required, dict(drill.fetched) | fetched, drill.house.rehearsal.objectives.prices)


def _egress(drill: Drill, record: Record, claims: tuple[ClaimOutcome, ...]) -> Egress | None:
    """What this drill's restores have fetched. A claim whose restore was never ordered has fetched nothing."""
    by_key = {claim.key: claim for claim in drill.claims}
    places = {key: place_of(claim, pin.origin) for key, claim in by_key.items() if (pin := record.pin(claim)) is not None}
    fetched = [Fetched(one.name, places[one.name].mover_repository, one.received_bytes) for one in claims if one.name in places]
    control = record.control
    if control.claim in places:
        planted = Fetched(f"the planted {control.name}", places[control.claim].mover_repository, control.received_bytes)
        fetched.append(planted)
    return egress_of(fetched, drill.house.rehearsal.objectives.prices)


def judged(
    drill: Drill, claims: tuple[ClaimOutcome, ...], fence: tuple[FencePart, ...], control: Control, now: float,
    canary: CanaryOutcome, warnings: tuple[str, ...] = (),
) -> DrillOutcome:  # fmt: skip
    """The verdict over the parts, with its reasons."""
    failed = [f"{c.name}: {c.reason}" for c in claims if c.verdict is DrillVerdict.FAIL]
    unseen = [f"{c.name}: {c.reason}" for c in claims if c.verdict is DrillVerdict.UNVERIFIED]
    told = [f"the canary: {canary.detail}"]
    failed += told if canary.verdict is DrillVerdict.FAIL else []
    unseen += told if canary.verdict is DrillVerdict.UNVERIFIED else []
    forecast, whole = _forecast(drill, claims), drill.house.rehearsal.objectives.whole
    if missed := of_whole(forecast, whole):
        failed += [missed] if whole.fails else []
        warnings += () if whole.fails else (missed,)
    elif gaps := unshown(forecast, whole):
        warnings += (gaps,)
    void = _void(fence, control)
    slipped = bool(control.name) and not control.caught
    short = bool(void or unseen) or not claims or not control.caught
    verdict = DrillVerdict.FAIL if failed and not slipped else DrillVerdict.UNVERIFIED if short else DrillVerdict.PASS
    reasons = (*void, *failed, *unseen) if slipped else (*failed, *void, *unseen)
    return DrillOutcome(
        drill.run, drill.house.name, verdict, reasons, drill.started, max(0.0, now - drill.started), claims, fence, control,
        drill.not_looked_at, drill.house.simulated, warnings=warnings, canary=canary, forecast=forecast,
    )  # fmt: skip


def _void(fence: tuple[FencePart, ...], control: Control) -> list[str]:
    """Why the drill has shown nothing, whatever its claims say."""
    proven = {part.name for part in fence if part.proven}
    walls = [wall.value for wall in FenceWall if wall.value not in proven]
    told = [f"the fence is not proven: {', '.join(walls)}" if fence else "the fence was not tried"] if walls else []
    if not control.name:
        return [*told, control.came_out or "no control was planted: nothing says that this drill can fail"]
    return told if control.caught else [*told, f"the planted {control.name} was NOT caught: it came out as {control.came_out}"]


def unbegun(drill: Drill, now: float) -> DrillOutcome:
    """The outcome of a drill that left no record: somebody cleared it, or it made nothing."""
    claims = tuple(ClaimOutcome(claim.key, DrillVerdict.UNVERIFIED, NOT_REACHED) for claim in drill.claims)
    return judged(drill, claims, (), Control(), now, CanaryOutcome(detail=NOT_REACHED))


def completed(outcome: DrillOutcome, report: Report) -> DrillOutcome:
    """With what the run's report alone knows: why a claim was not reached, how long each stage took, what could not be cleared."""
    steps = [step for step in report.steps if step.id.startswith(_AREA)]
    causes = tuple(f"{step.id}: {_why(step)}" for step in report.root_causes if not step.id.startswith(f"{_AREA}clear"))
    claims = tuple(
        replace(one, reason=why) if one.reason == NOT_REACHED and (why := _of_claim(report, one.name)) else one
        for one in outcome.claims
    )
    left = tuple(_why(step) for step in report.root_causes if step.id.startswith(f"{_AREA}clear"))
    reasons = outcome.reasons
    if outcome.verdict is not DrillVerdict.PASS:
        reasons = (*(r for r in reasons if not r.endswith(NOT_REACHED)), *causes)
    stages = tuple(
        Stage(step.id.removeprefix(_AREA).partition("/")[0], round(step.seconds, 3), _claim_of(step))
        for step in steps if step.outcome is not StepOutcome.BLOCKED
    )  # fmt: skip
    return replace(
        outcome, claims=claims, reasons=tuple(dict.fromkeys(reasons)), stages=stages, warnings=(*outcome.warnings, *left)
    )


def _claim_of(step: StepReport) -> str:
    name = step.id.partition("/")[2]
    return name if "/" in name else ""


def _of_claim(report: Report, key: str) -> str:
    return next((_why(step) for step in report.root_causes if step.id.endswith(f"/{key}")), "")


def _why(step: StepReport) -> str:
    return step.error.what if step.error is not None else step.detail
