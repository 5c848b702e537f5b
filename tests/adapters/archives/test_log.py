"""How far a log takes a base backup: gaps, timelines, segments of other sizes, files that are none."""

from __future__ import annotations

import pytest

from adapters.archives.bases import Base
from adapters.archives.log import Segment, reach, segment_of


def seg(number: int, timeline: int = 1, log: int = 0) -> str:
    return f"{timeline:08X}{log:08X}{number:08X}"


def base(begin: str, end: str, segment_bytes: int = 16 << 20) -> Base:
    return Base("b", 0.0, begin, end, segment_bytes)


def told(one: Base, *names: str) -> tuple[str, str, str]:
    """What is missing, the last that is reached, the first beyond a gap."""
    found = reach(one, [Segment(name, 1, 0.0) for name in names])
    return found.missing, found.last.name if found.last else "", found.beyond


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        ((seg(5), seg(6)), ("", seg(6), "")),
        ((seg(1), seg(5), seg(6), seg(7)), ("", seg(7), "")),
        ((seg(6), seg(7)), (seg(5), "", "")),
        ((seg(5), seg(7)), (seg(6), "", "")),
        ((seg(90),), (seg(5), "", "")),
        ((seg(5, 2), seg(6, 2)), (seg(5), "", "")),
        ((), (seg(5), "", "")),
        ((seg(5), seg(6), seg(8)), ("", seg(6), seg(8))),
        ((seg(5), seg(6), seg(7, 2), seg(8, 2)), ("", seg(8, 2), "")),
        ((seg(5), seg(6), seg(7), seg(7, 2), seg(8, 2), seg(10, 2)), ("", seg(8, 2), seg(10, 2))),
        ((seg(5), seg(6), seg(7), seg(9, 2)), ("", seg(7), seg(9, 2))),
        ((seg(5), seg(6), seg(7, 2), seg(8, 2), seg(8, 3), seg(9, 3)), ("", seg(9, 3), "")),
        ((seg(5), seg(6), seg(7), seg(3, 2), seg(4, 2)), ("", seg(7), "")),
    ],
)
def test_the_log_from_the_fifth_to_the_sixth_segment(names: tuple[str, ...], answer: tuple[str, str, str]) -> None:
    assert told(base(seg(5), seg(6)), *names) == answer


def test_how_many_segments_a_log_has_follows_from_their_size() -> None:
    assert told(base(seg(255), seg(0, log=1)), seg(255), seg(0, log=1)) == ("", seg(0, log=1), "")
    assert told(base(seg(63), seg(0, log=1), 64 << 20), seg(63), seg(0, log=1)) == ("", seg(0, log=1), "")
    assert told(base(seg(63), seg(0, log=1)), seg(63), seg(0, log=1)) == (seg(64), "", "")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (seg(5), seg(5)), (f"{seg(5)}.gz", seg(5)), (f"{seg(5)}.snappy", seg(5)), (f"{seg(5)}.zst", seg(5)),
        (f"{seg(5)}.partial", ""), (f"{seg(5)}.partial.gz", ""), (f"{seg(5)}.00000028.backup", ""), ("00000002.history", ""),
        (f"{seg(5)}.tmp", ""), (f"._{seg(5)}", ""),
    ],
)  # fmt: skip
def test_what_a_file_of_the_log_is(file: str, name: str) -> None:
    found = segment_of(file, 1, 0.0)
    assert (found.name if found else "") == name
