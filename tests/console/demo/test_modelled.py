"""The modelled demo is what a newcomer runs first: all that it shows must hold, and its exit code says so."""

from __future__ import annotations

import pytest

from console.demo.modelled import MODELLED, play


def test_everything_that_the_modelled_demo_shows_holds(capsys: pytest.CaptureFixture[str]) -> None:
    code = play()
    told = capsys.readouterr().out
    assert "DOES NOT HOLD" not in told, told
    assert code == 0
    lines = told.splitlines()
    assert lines[0] == lines[-1] == MODELLED.mark + MODELLED.banner
    assert all(line.startswith(MODELLED.mark) for line in lines if line)
