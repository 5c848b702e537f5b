"""A part that stands for ten years of drills (`python -m tests.rehearsal.years`), and what nobody may plant by."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.controls import Kind
from rehearsal.outcome import DrillVerdict
from tests.crash.apart import Built
from tests.rehearsal.drilling import Drilling
from tests.rehearsal.planting import KINDS
from tests.rehearsal.years import Tally, Week, drilled, house, main, year


def test_some_weeks_of_a_year_say_nothing_false(tmp_path: Path) -> None:
    tally = Tally(year(7, tmp_path, weeks=8))
    assert tally.good, tally.table()
    assert not [week for week in tally.weeks if week.otherwise], tally.table()


@pytest.mark.parametrize("control", [Kind.WRONG_PASSWORD, Kind.EMPTY_REPOSITORY, Kind.WRONG_REPOSITORY])
def test_a_control_that_comes_to_no_comparison_does_not_hide_a_blind_one(tmp_path: Path, control: Kind) -> None:
    built = Built(lambda at: Drilling(at, house(), 1), tmp_path / "house")
    outcome = built.visit(lambda there: drilled(there, 0, "comparison blind", 0, control))
    assert Week("comparison blind", outcome).outcome.verdict is DrillVerdict.UNVERIFIED


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["many"], 2)])
def test_it_says_how_it_is_called(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == code and "[years]" in "".join(capsys.readouterr())


def test_at_least_forty_kinds_are_planted() -> None:
    assert len(KINDS) >= 40


def test_what_drills_are_made_of_imports_nothing_that_plants() -> None:
    root = Path(__file__).parents[2] / "rehearsal"
    text = "".join(path.read_text() for path in root.rglob("*.py"))
    assert "import lab" not in text
    assert "from lab" not in text
    assert "from tests" not in text
