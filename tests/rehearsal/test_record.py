"""A drill's notes lie in the cluster: what no drill wrote there is no proven fence, no caught control and no bug of ours."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from adapters.drills.results import Scratch
from engine.errors import PermanentError
from rehearsal.outcome import Control, FencePart
from rehearsal.record import CANARY, CONTROL, FENCE, SENTINEL, TRIED, Record
from tests.builders import a_claim

CLAIM = a_claim()
READ: dict[str, Callable[[Record], object]] = {
    FENCE: lambda record: record.fence, CONTROL: lambda record: record.control, SENTINEL: lambda record: record.sentinel,
    CANARY: lambda record: record.canary, TRIED: lambda record: record.tried, "pin": lambda record: record.pin(CLAIM),
    "done": lambda record: record.done(CLAIM), "probed": lambda record: record.probed(CLAIM),
}  # fmt: skip
ODD = ("{", "[1]", '{"a": 1}', '"text"', "[" * 100_000, '{"name": "x", "caught": "no", "came_out": ""}', '[{"name": "egress"}]',
       '[{"name": "egress", "proven": "no", "detail": ""}]', '{"verdict": "PASS"}', "\ud800")  # fmt: skip


def record(text: str) -> Record:
    """Whatever note is asked for, it says this."""

    class Noted(Scratch):
        def note(self, key: str) -> str:
            return text

    return Record(Noted("scratch", "drill", deleting=False))


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("of", READ)
def test_what_no_drill_wrote_is_told_and_counts_for_nothing(of: str, text: str) -> None:
    with pytest.raises(PermanentError, match=r"cannot be read|this is not what came of a claim"):
        READ[of](record(text))


def test_what_a_drill_wrote_is_read() -> None:
    assert record(json.dumps({"name": "x", "caught": True, "came_out": "content"})).control == Control("x", True, "content")
    assert record(json.dumps([{"name": "egress", "proven": False, "detail": ""}])).fence == (FencePart("egress", False),)
    assert record("").fence == () and record("").control == Control() and record("12.5").tried == 12.5
