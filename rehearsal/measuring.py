"""What was measured, held against what the settings expect and what earlier drills let expect. Knows no port.

A recovery of many claims goes on several at a time: it takes at least as long as the longest, and no less than all of them share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.text.lengths import span
from engine.text.words import number, some
from house.model import BackedUpClaim, Limits
from house.values.rehearsing import Objective, Prices
from rehearsal.egress import Fetched, egress_of
from rehearsal.egress import told as egress_told
from rehearsal.outcome import ClaimOutcome, DrillVerdict, Forecast

SLOWER = 1.5
"""By so much longer than usual, a restore is told as slower."""
_NAMED = 5
_SLACK_S = 60.0
"""Less than that is a busy evening's."""


def measured(outcome: ClaimOutcome, objective: Objective, expected: float | None) -> ClaimOutcome:
    """With the objectives that it missed, and what was expected of it. A missed one that must not be fails what has passed."""
    missed = tuple(_missed(outcome, objective))
    outcome = replace(outcome, missed=missed, expected_seconds=expected)
    if not missed or not objective.fails or outcome.verdict is not DrillVerdict.PASS:
        return outcome
    return replace(outcome, verdict=DrillVerdict.FAIL, reason="; ".join(missed))


def _missed(outcome: ClaimOutcome, objective: Objective) -> Iterable[str]:
    rto, rpo = outcome.rto_seconds, outcome.rpo_seconds
    if objective.rto and rto is not None and rto > objective.rto:
        yield f"RTO missed: back in {span(rto)}, and {span(objective.rto)} were allowed"
    if objective.rpo and rpo is not None and rpo > objective.rpo:
        yield f"RPO missed: its data are {span(rpo)} old, and {span(objective.rpo)} were allowed"


def remarks(outcome: ClaimOutcome, objective: Objective) -> Iterable[str]:
    """What is worth a look and fails nothing: objectives that only warn, and a restore that took much longer than usual."""
    if not objective.fails:
        yield from (f"{outcome.name}: {one}" for one in outcome.missed)
    took, usual = outcome.rto_seconds, outcome.expected_seconds
    if took is not None and usual is not None and took > SLOWER * usual and took > usual + _SLACK_S:
        yield f"{outcome.name}: slower than before: back in {span(took)}, usually in {span(usual)}"


def forecast_of(keys: Iterable[str], seconds: Mapping[str, float], limits: Limits) -> Forecast:
    """How long a recovery of these claims will take, of which these were measured (seconds each)."""
    wanted = tuple(dict.fromkeys(keys))
    times = [seconds[key] for key in wanted if key in seconds]
    unmeasured = tuple(key for key in wanted if key not in seconds)
    if not times:
        return Forecast(None, 0, unmeasured)
    shared = sum(times) / max(1, min(limits.parallel, limits.restore_parallel))
    return Forecast(round(max(max(times), shared), 1), len(times), unmeasured)


def with_egress(forecast: Forecast, claims: Iterable[BackedUpClaim], fetched: Mapping[str, int], prices: Prices) -> Forecast:
    """With what the restores of these claims will fetch, by what they fetched last (bytes each)."""
    found = egress_of((Fetched(one.key, one.mover_repository, fetched.get(one.key)) for one in claims), prices)
    return replace(forecast, egress=found)


def of_whole(forecast: Forecast, objective: Objective) -> str:
    """What the forecast of a whole recovery misses of its objective, "" for nothing. One with gaps can only be too short."""
    if not objective.rto or forecast.seconds is None or forecast.seconds <= objective.rto:
        return ""
    return f"RTO of a whole recovery missed: it will take {span(forecast.seconds)}, and {span(objective.rto)} are allowed"


def unshown(forecast: Forecast, objective: Objective) -> str:
    """What keeps the objective of a whole recovery from being shown, "" for nothing or where there is none."""
    if not objective.rto or not forecast.unmeasured:
        return ""
    were = "was" if len(forecast.unmeasured) == 1 else "were"
    return f"whether the RTO of a whole recovery is met is not known: {some(forecast.unmeasured, _NAMED)} {were} never measured"


def told(forecast: Forecast) -> str:
    """The forecast in one sentence."""
    gaps = f"; never measured, and not in it: {', '.join(forecast.unmeasured)}" if forecast.unmeasured else ""
    if forecast.seconds is None:
        return f"how long a recovery takes is not known: no drill has measured any of {number(len(forecast.unmeasured), 'claim')}"
    found = f"a recovery of {number(forecast.claims, 'claim')} takes about {span(forecast.seconds)}, as drills measured them{gaps}"
    return f"{found}; what its restores fetch: {egress_told(forecast.egress)}"


def held(outcome: ClaimOutcome) -> str:
    """How good the forecast of this claim was, "" where there was none."""
    took, usual = outcome.rto_seconds, outcome.expected_seconds
    if took is None or not usual:
        return ""
    off = round(100 * (took - usual) / usual)
    how = "and so it was" if not off else f"it took {abs(off)} % {'longer' if off > 0 else 'less'}"
    return f"expected {span(usual)}, {how}"
