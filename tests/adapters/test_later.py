"""What stands for an adapter until it is needed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.later import later


class Slow:
    made = 0

    def __init__(self) -> None:
        time.sleep(0.01)
        Slow.made += 1
        self.number = Slow.made

    def look(self, word: str) -> str:
        return f"{word} {self.number}"


def test_it_is_made_by_the_first_question_alone_whoever_asks() -> None:
    Slow.made = 0
    port = later(Slow)
    assert Slow.made == 0
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(port.look, ["seen"] * 8)) == {"seen 1"}
    with pytest.raises(AttributeError, match="shut_down"):
        _ = port.shut_down  # type: ignore[attr-defined]  # what it has not, nobody finds in it
    assert Slow.made == 1
