"""What a program said last, and lines out of a stream in pieces."""

from __future__ import annotations

import pytest

from adapters.process.endings import tail_lines
from adapters.process.lines import Lines
from engine.secrets import Secret


def test_the_tail_is_the_last_25_lines_without_escapes_and_empty_ones() -> None:
    said = "\n\n".join(f"\x1b[31mline {n}\x1b[0m" for n in range(40)).encode()
    assert tail_lines(said) == tuple(f"line {n}" for n in range(15, 40))
    assert tail_lines(b"") == ()


def test_a_secret_over_several_lines_is_redacted_before_the_lines_are_cut() -> None:
    Secret("first-half-of-it\nsecond-half-of-it")
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n-----END PRIVATE KEY-----"
    told = "\n".join(tail_lines(f"first-half-of-it\nsecond-half-of-it\n{pem}\nend\xff".encode("latin-1")))
    assert "half" not in told and "MIIE" not in told and told.endswith("end\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_come_whole_whatever_the_pieces(size: int) -> None:
    stream = "one\n\nzwei ü\nlast without a newline".encode()
    taken: list[str] = []
    lines = Lines(taken.append)
    for at in range(0, len(stream), size):
        lines.feed(stream[at : at + size])
    lines.end()
    assert taken == ["one", "zwei ü", "last without a newline"]


def test_what_is_not_text_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        Lines(lambda line: None).feed(b"\xff\xfe\n")
