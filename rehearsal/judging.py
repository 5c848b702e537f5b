"""What a claim's restore has shown: PASS, FAIL or UNVERIFIED, and by which name. Knows no cluster and no clock.

FAIL is said only of what was seen to be wrong with the backup or with what came back; what could not be seen is UNVERIFIED.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.backups.results import Verdict as Look
from adapters.drills.results import Examined, Found, Health, Restore, Trouble
from cluster.backups.audit import TRUSTED, ClaimAudit
from engine.errors import TransientError
from engine.text.digest import digest
from house.values.rehearsing import ClaimProbe
from recovery.compared.comparison import Comparison
from rehearsal.outcome import CanaryOutcome, ClaimOutcome, DrillVerdict, ProbeOutcome
from rehearsal.record import Pin, Probed, Sentinel

UNSEEN = (Look.UNREACHABLE, Look.UNKNOWN)
"""Answers of an audit that say nothing of the backup."""

TELLING = frozenset(
    {
        Trouble.NO_REPOSITORY, Trouble.WRONG_PASSWORD, Trouble.OTHER_REPOSITORY, Trouble.NO_SNAPSHOT, Trouble.REFUSED,
        Trouble.DAMAGED,
    }
)  # fmt: skip
"""Troubles of a restore that a real one would have had as well."""

_NAMED = 5
_SHOWN = {Health.SOUND: DrillVerdict.PASS, Health.ILL: DrillVerdict.FAIL, Health.UNSEEN: DrillVerdict.UNVERIFIED}


def refused(audit: ClaimAudit) -> ClaimOutcome | None:
    """What an audit alone decides: FAIL where no snapshot may be restored; None where one may be.

    TransientError where the store gave no answer, or a backup is being written.
    """
    if audit.verdict in UNSEEN or audit.busy:
        raise TransientError(f"the backup of {audit.claim.key} cannot be seen: {audit.told}", evidence=(audit.detail,))
    if audit.verdict in TRUSTED and audit.newest is not None:
        return None
    return ClaimOutcome(audit.claim.key, DrillVerdict.FAIL, f"{audit.verdict.value}: {audit.detail}")


def failing(audit: ClaimAudit) -> str:
    """Why the claim fails although its snapshot can be restored, "" for nothing."""
    return f"{audit.verdict.value}: {audit.detail}" if audit.verdict is Look.EXPIRED else ""


def of_trouble(key: str, trouble: Trouble, state: Restore, pin: Pin, started: float) -> ClaimOutcome:
    """A restore that came to nothing, for one of the TELLING troubles."""
    told = f": {state.detail}" if state.detail and state.detail != trouble.value else ""
    return ClaimOutcome(
        key, DrillVerdict.FAIL, f"{trouble.value}{told}", pin.snapshot_id, pin.time, rpo_seconds=max(0.0, started - pin.time),
        received_bytes=state.received,
    )  # fmt: skip


def of_canary(found: Found, sent: Sentinel) -> CanaryOutcome:
    """What the store gave back for the word that VolSync says it has backed up. TransientError where it gave no answer."""
    if found.word is None and found.trouble not in TELLING:
        told = found.trouble.value if found.trouble is not None else found.detail
        raise TransientError(f"the canary cannot be seen: {told}", evidence=(found.detail,) if found.detail else ())
    if found.word is None:
        assert found.trouble is not None  # one of TELLING
        return CanaryOutcome(DrillVerdict.FAIL, f"VolSync says that it is backed up, but {found.trouble.value}", sent.seconds)
    if not found.word:
        return CanaryOutcome(DrillVerdict.FAIL, "empty: the newest backup of it holds no word", sent.seconds)
    if len(found.word) != len(sent.word) or "?" in found.word:
        return CanaryOutcome(DrillVerdict.FAIL, "garbled: the newest backup of it holds what no drill wrote", sent.seconds)
    if found.word != sent.word:
        return CanaryOutcome(DrillVerdict.FAIL, "stale: the newest backup of it is older than this drill", sent.seconds)
    return CanaryOutcome(DrillVerdict.PASS, "exactly what was written came back", sent.seconds)


def of_comparison(key: str, pin: Pin, found: Comparison, restored: Restore, started: float, now: float) -> ClaimOutcome:
    """What came back, held against its snapshot. The comparison is whole: one that broke off is no answer."""
    told = "; ".join(found.differences[:_NAMED])
    more = len(found.differences) - _NAMED
    reason = "; ".join(filter(None, (told, f"and {more} more" if more > 0 else "", pin.failing)))
    return ClaimOutcome(
        key,
        DrillVerdict.FAIL if found.differences or pin.failing else DrillVerdict.PASS,
        reason,
        pin.snapshot_id,
        pin.time,
        restored.bytes,
        found.files,
        ("contents", *found.told.compared),
        found.told.not_compared,
        max(0.0, started - pin.time),
        max(0.0, now - pin.ordered),
        received_bytes=restored.received,
    )


def of_probe(probe: ClaimProbe, seen: Examined) -> ProbeOutcome:
    """What a probe that has ended has shown."""
    return ProbeOutcome(probe.name, _SHOWN[seen.health or Health.UNSEEN], seen.detail)


def with_probes(outcome: ClaimOutcome, wanted: tuple[ClaimProbe, ...], probed: Probed | None, pin: Pin | None) -> ClaimOutcome:
    """A claim's part with what its probes have shown. One that passed its comparison passes only with every probe that the settings
    demand; what its comparison has failed stays so, whatever they say."""
    if not wanted:
        return outcome
    passed = outcome.verdict is DrillVerdict.PASS
    if probed is None or probed.asked != asked_of(wanted):
        return replace(outcome, verdict=DrillVerdict.UNVERIFIED, reason="its probes were not held") if passed else outcome
    took = max(0.0, probed.at - pin.ordered) if pin is not None else outcome.rto_seconds
    outcome = replace(outcome, probes=probed.outcomes, rto_seconds=took)
    worst = [one for verdict in (DrillVerdict.FAIL, DrillVerdict.UNVERIFIED) for one in probed.outcomes if one.verdict is verdict]
    if not passed or not worst:
        return outcome
    told = "; ".join(f"probe {one.name}: {one.detail or 'nothing was said'}" for one in worst)
    return replace(outcome, verdict=worst[0].verdict, reason=told)


def asked_of(probes: tuple[ClaimProbe, ...]) -> str:
    """The digest of what these probes ask: another one as soon as any of it is another."""
    return digest(*(repr(one) for one in probes))
