"""What restic's failures mean: one that was killed has found no damage, and what nobody understands is never good."""

from __future__ import annotations

import pytest

from adapters.backups.judging import by_words
from adapters.backups.results import Verdict
from adapters.backups.sayings import meaning
from adapters.process.results import Finished


def verdict(code: int, said: str = "") -> Verdict:
    return by_words(meaning(Finished("restic", code, b"", (said,), 0.1)))[0]


@pytest.mark.parametrize("code", [-9, -15, -6])
def test_a_restic_that_somebody_ended_has_found_no_damage(code: int) -> None:
    assert verdict(code) is Verdict.UNKNOWN
    assert verdict(code, "Fatal: unexpected EOF") is Verdict.UNKNOWN


def test_what_nobody_understands_is_damage() -> None:
    assert verdict(1, "Fatal: something that nobody knows") is Verdict.UNREADABLE
    assert verdict(99) is Verdict.UNREADABLE
