"""Whether every API server admits a backup of a claim that the record lets go: the record alone is not what admits it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from adapters.hold.results import HeldClaim, Refusal, Verdict
from adapters.ports import HoldView
from cluster.hold.holding import restart_by_hand, servers_of, sources_of
from engine.probe import Probe, satisfied, unknown
from house.model import BackedUpClaim


def admitted_everywhere(hold: HoldView, claim: BackedUpClaim | HeldClaim, silent: Collection[str] = ()) -> Probe:
    """SATISFIED only where a dry run of each source's backup is admitted on every API server; else which refuses, and what to do.

    `silent`: see `hold_probe`. One that is off reads the policies and the record when it starts.
    """
    return admitted(
        [one for source in sources_of(claim) for one in hold.backup_tried(claim.namespace, claim.claim, source, silent)]
    )


def admitted(answers: Sequence[Refusal]) -> Probe:
    """What the answers of all API servers to those dry runs say."""
    if not answers:
        return unknown("no API server could be asked")
    if stale := servers_of(answers, Verdict.STALE):
        refuse, judge = ("refuses", "judges") if len(stale) == 1 else ("refuse", "judge")
        told = f"{', '.join(stale)} {refuse} its backup still, and {judge} by another record of the hold than the one there now"
        return unknown(f"{told}: restart kube-apiserver there", *_words(answers, Verdict.STALE), hint=restart_by_hand(stale))
    if refusing := servers_of(answers, Verdict.REFUSED):
        return unknown(f"{', '.join(refusing)}: the hold refuses its backup still", *_words(answers, Verdict.REFUSED))
    if other := servers_of(answers, Verdict.OTHER):
        told = f"{', '.join(other)}: something else than the hold refuses its backup, so nobody knows whether the hold would"
        return unknown(told, *_words(answers, Verdict.OTHER))
    return satisfied("")


def _words(answers: Sequence[Refusal], verdict: Verdict) -> tuple[str, ...]:
    return tuple(f"{answer.server}: {answer.detail}" for answer in answers if answer.verdict is verdict)
