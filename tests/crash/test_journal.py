"""The table of `python -m tests.crash.journal`, with one damage in thirteen, as a test: nothing damaged is accepted."""

from __future__ import annotations

import pytest

from tests.crash.journal import main


def test_no_flipped_bit_and_no_splice_of_a_journal_of_three_runs_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(every=13) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 4 and all(line.endswith(" 0 accepted") for line in told)
