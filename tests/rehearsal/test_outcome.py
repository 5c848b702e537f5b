"""A drill's outcome reads back as it was written, and nothing else reads as one."""

import json
from dataclasses import replace

import pytest

from engine.errors import PermanentError
from rehearsal.outcome import (
    CanaryOutcome,
    ClaimOutcome,
    Control,
    DrillOutcome,
    DrillVerdict,
    FencePart,
    ProbeOutcome,
    Stage,
    from_json,
)

OUTCOME = DrillOutcome(
    run="20260101-000000-abcd",
    house="four-nodes",
    verdict=DrillVerdict.FAIL,
    reasons=("default/paperless: content: db.sqlite3",),
    started=1000.5,
    seconds=61.0,
    claims=(
        ClaimOutcome(
            "default/paperless", DrillVerdict.FAIL, "content: db.sqlite3", "ab" * 32, 900.0, 4096, 3, ("modes",), ("times",),
            100.5, 40.0, (ProbeOutcome("sqlite", DrillVerdict.UNVERIFIED, "not reached"),),
        ),
        ClaimOutcome("media/jellyfin", DrillVerdict.UNVERIFIED, "the store does not answer"),
    ),
    fence=(FencePart("egress", True, "refused"),),
    control=Control("byte-flipped", True, "content: a"),
    not_looked_at=("media/plex: did not fit",),
    simulated=True,
    stages=(Stage("fence", 2.0), Stage("restore", 30.0, "default/paperless")),
    warnings=("slow",),
    canary=CanaryOutcome(DrillVerdict.PASS, "exactly what was written came back", 12.5),
)  # fmt: skip


def test_an_outcome_reads_back_as_it_was_written() -> None:
    assert from_json(OUTCOME.to_json()) == OUTCOME
    assert "\n" not in OUTCOME.to_json()
    bare = replace(OUTCOME, claims=(), fence=(), control=Control(), stages=())
    assert from_json(bare.to_json()) == bare


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2), ("verdict", "OK"), ("seconds", "61"), ("simulated", 1), ("reasons", "text"), ("reasons", [1]),
        ("claims", [{}]), ("control", None), ("fence", [{"name": "egress", "proven": 1, "detail": ""}]), ("more", 1),
    ],
)  # fmt: skip
def test_what_no_drill_wrote_is_refused(key: str, value: object) -> None:
    body = json.loads(OUTCOME.to_json()) | {key: value}
    with pytest.raises(PermanentError, match="not the outcome"):
        from_json(json.dumps(body))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "1"])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(PermanentError):
        from_json(text)


def test_a_missing_part_is_refused_and_never_an_empty_one() -> None:
    for key in json.loads(OUTCOME.to_json()).keys() - {"canary", "forecast", "egress"}:
        body = json.loads(OUTCOME.to_json())
        del body[key]
        with pytest.raises(PermanentError):
            from_json(json.dumps(body))


def test_a_drill_of_before_anything_was_forecast_is_read_as_one_that_forecast_nothing() -> None:
    body = json.loads(OUTCOME.to_json())
    del body["forecast"]
    for claim in body["claims"]:
        del claim["missed"], claim["expected_seconds"]
    found = from_json(json.dumps(body))
    assert found.forecast is None
    assert all((claim.missed, claim.expected_seconds) == ((), None) for claim in found.claims)


def test_a_drill_of_before_there_was_a_canary_is_read_as_one_that_sent_none() -> None:
    body = json.loads(OUTCOME.to_json())
    del body["canary"]
    assert from_json(json.dumps(body)).canary == CanaryOutcome()
