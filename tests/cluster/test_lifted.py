"""A claim is let go only where each API server admits its backup."""

from __future__ import annotations

import pytest

from adapters.hold.results import Refusal, Verdict
from cluster.hold.lifted import admitted
from engine.probe import Condition


@pytest.mark.parametrize(
    ("verdicts", "condition", "words"),
    [
        ((Verdict.ADMITTED, Verdict.ADMITTED), Condition.SATISFIED, ""),
        ((), Condition.UNKNOWN, "no API server could be asked"),
        ((Verdict.ADMITTED, Verdict.STALE), Condition.UNKNOWN, "10.0.0.12 refuses its backup still, and judges by another record"),
        ((Verdict.STALE, Verdict.STALE), Condition.UNKNOWN, "10.0.0.11, 10.0.0.12 refuse its backup still, and judge by another"),
        ((Verdict.ADMITTED, Verdict.REFUSED), Condition.UNKNOWN, "10.0.0.12: the hold refuses its backup still"),
        ((Verdict.OTHER, Verdict.ADMITTED), Condition.UNKNOWN, "10.0.0.11: something else than the hold refuses its backup"),
    ],
)
def test_one_that_does_not_admit_its_backup_is_named(verdicts: tuple[Verdict, ...], condition: Condition, words: str) -> None:
    answers = [Refusal(f"10.0.0.1{n}", "Job of a source", verdict, "its words") for n, verdict in enumerate(verdicts, 1)]
    seen = admitted(answers)
    assert (seen.condition, seen.detail.startswith(words)) == (condition, True), seen
    amiss = [one.server for one in answers if one.verdict is not Verdict.ADMITTED]
    assert seen.evidence == tuple(f"{server}: its words" for server in amiss)
