"""What psql answers, read: and an answer that broke off is none."""

from __future__ import annotations

import base64

import pytest

from adapters.archives.results import RecoveryPoint
from adapters.cnpg.asking import read_reached, turns_of
from adapters.cnpg.results import Reached, Turn
from cluster.recovered import differences
from engine.errors import TransientError

HISTORY = "1\t0/5000000\tno recovery target specified\n\n2\t1/A0000D8\tbefore 2026-01-02 03:04:05+00\n"
WHOLE = "\n".join(
    ("system 7123", "recovering false", "lsn 1/B374D848", "file 00000003000000010000000B",
     f"history 00000002.history {base64.b64encode(b'1 0/5000000 no recovery target specified').decode()}",
     f"history 00000003.history {base64.b64encode(HISTORY.encode()).decode()}",
     f"history 00000004.history {base64.b64encode(b'9 0/9 of another').decode()}", "end"),
)  # fmt: skip
POINT = RecoveryPoint("20260102T030000", "7123", 2, 0x109000000, "000000020000000100000009", 0.0, 1767323045.0)


def test_who_it_is_its_timeline_and_every_turn_of_that_one_are_read() -> None:
    found = read_reached(WHOLE)
    assert found == Reached(
        "7123", 3, 0x1B374D848, recovering=False,
        turns=(Turn(1, 0x5000000, "no recovery target specified"), Turn(2, 0x10A0000D8, "before 2026-01-02 03:04:05+00")),
    )  # fmt: skip
    assert differences(POINT, found) == ()


@pytest.mark.parametrize("lines", range(len(WHOLE.splitlines())))
def test_an_answer_that_broke_off_anywhere_is_none(lines: int) -> None:
    with pytest.raises(TransientError, match="broke off"):
        read_reached("\n".join(WHOLE.splitlines()[:lines]))


def test_one_that_replays_still_is_told_and_never_taken_for_proven() -> None:
    found = read_reached(WHOLE.replace("recovering false", "recovering true").replace("file 00000003000000010000000B", "file none"))
    assert (found.timeline, found.recovering) == (0, True)
    assert differences(POINT, found) == ("it still replays its log, and is at 1/B374D848",)


def test_a_line_that_is_none_is_no_turn() -> None:
    assert turns_of("# a comment\n1\t0/10\n\nx 0/1 y\n") == (Turn(1, 16, ""),)


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        ((), "it was never recovered: it is on timeline 3, which has no history"),
        ((Turn(1, 1 << 40, "no recovery target specified"),), "it came along timeline 1, and its archive ends on timeline 2"),
        ((Turn(2, 0x109000000, "before x"),), "its log was replayed up to 1/9000000 alone, and its archive holds segment "
         "000000020000000100000009, which begins at 1/9000000"),
        ((Turn(2, 0x10A000000, "no recovery target specified"),), "its log was replayed to the end, and the restore was to stop at "
         "2026-01-02T03:04:05Z"),
    ],
)  # fmt: skip
def test_each_way_in_which_it_is_not_what_was_promised(turns: tuple[Turn, ...], told: str) -> None:
    assert differences(POINT, Reached("7123", 3, 1 << 41, recovering=False, turns=turns)) == (told,)


def test_one_that_failed_over_since_is_still_what_was_promised() -> None:
    later = (Turn(2, 0x10A000000, "before x"), Turn(3, 1 << 42, "no recovery target specified"))
    assert differences(POINT, Reached("7123", 4, 1 << 43, recovering=False, turns=later)) == ()
