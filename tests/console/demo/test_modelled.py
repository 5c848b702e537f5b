"""The modelled demo is what a newcomer runs first: all that it shows must hold, and its exit code says so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from console.demo.modelled import MODELLED, play, played
from console.demo.story import Story
from console.views.page import Page
from engine.errors import EXIT_STEP_FAILED


def test_everything_that_the_modelled_demo_shows_holds(capsys: pytest.CaptureFixture[str]) -> None:
    code = play()
    told = capsys.readouterr().out
    assert "DOES NOT HOLD" not in told, told
    assert code == 0
    lines = told.splitlines()
    assert lines[0] == lines[-1] == MODELLED.mark + MODELLED.banner
    assert all(line.startswith(MODELLED.mark) for line in lines if line)


class BrokenOff:
    """A story whose acts hold, and that cannot go on between two of them."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.story = Story(page, lambda: 0.0)

    def play(self) -> None:
        with self.story.act("the first") as act:
            self.story.show(act, True, "it held")
        raise AssertionError("a run died that nobody killed")


def test_where_columns_are_few_a_number_says_what_it_counts() -> None:
    story = Story(Page(io.StringIO()), lambda: 0.0)
    with story.act("the first") as act:
        story.show(act, True, "it held")
    wide, narrow = ([line.plain for line in story.table("modelled s").lines(width)] for width in (80, 20))
    assert wide[0].startswith("modelled s  act")
    assert narrow[0] == "modelled s 0.0"


def test_a_story_that_breaks_off_between_two_acts_has_not_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert played(BrokenOff) == EXIT_STEP_FAILED
    told = capsys.readouterr().out
    assert "the story broke off: a run died that nobody killed" in told and "Everything that was shown held" not in told
