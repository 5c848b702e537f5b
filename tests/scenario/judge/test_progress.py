"""What a judge says while it judges."""

from __future__ import annotations

import io

from tests.scenario.judge.progress import Progress
from tests.scenario.judge.verdicts import Verdict


class Told:
    """Two scenes, on a clock that the test moves."""

    def __init__(self) -> None:
        self.out, self.now = io.StringIO(), 0.0
        self.progress = Progress([("modelled", "undo"), ("wire", "undo"), ("wire", "power")], self.out, lambda: self.now)

    @property
    def last(self) -> str:
        """The lines since this was asked last."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return text


def test_the_scene_is_told_and_what_is_left() -> None:
    told = Told()
    told.progress.begins("modelled", "undo", "back again")
    assert told.last == "  0:00 1 of 3, modelled, undo: back again\n  0:00     after it: undo (wire), power (wire)\n"
    told.now = 125.0
    told.progress.begins("wire", "the house", "it is built")
    assert told.last.startswith("  2:05 wire, the house: it is built\n")
    told.progress.begins("wire", "undo", "back again")
    told.progress.ends(Verdict("undo", "wire", (), "", 1.0))
    told.progress.begins("wire", "power", "off and on")
    assert [line.strip().partition(" ")[2].strip() for line in told.last.splitlines()] == [
        "2 of 3, wire, undo: back again", "after it: power (wire)", "held", "3 of 3, wire, power: off and on", "after it: nothing",
    ]  # fmt: skip
    told.progress.ends(Verdict("power", "wire", ("VM 8001 runs", "no proof"), "", 1.0))
    assert "MISSED: VM 8001 runs; no proof" in told.last


def test_what_is_waited_for_is_told_at_once_seldom_and_again_in_a_silence() -> None:
    told = Told()
    told.progress.at("dr.undo: undo.put-back waits for the volume, 300 s at most")
    assert "undo.put-back waits for the volume, 300 s at most" in told.last
    told.now = 2.0
    told.progress.at("dr.undo: the next")
    told.progress.tick()
    assert told.last == ""
    told.now = 21.0
    told.progress.tick()
    assert "dr.undo: the next (for 19 s now)" in told.last
    told.progress.tick()
    assert told.last == ""
    told.now = 41.0
    told.progress.tick()
    assert "dr.undo: the next (for 39 s now)" in told.last
    told.progress.ends(Verdict("undo", "wire", (), "", 1.0))
    assert "held" in told.last
    told.now = 99.0
    told.progress.tick()
    assert told.last == "", "nothing is waited for between two scenes"


def test_no_line_is_wider_than_a_terminal() -> None:
    told = Told()
    told.progress.at(f"invoke dr.restore --claims {','.join(['selfhosted/application'] * 5)} --approve {'a1' * 8}")
    told.progress.begins("wire", "undo", "a title of many words " * 6)
    lines = told.last.splitlines()
    assert len(lines) > 6
    assert max(map(len, lines)) <= 80
