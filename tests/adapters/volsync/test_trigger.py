"""The names of manual triggers."""

from __future__ import annotations

import pytest

from adapters.volsync.trigger import is_of, numbered


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("", "ours"),
        ("somebody's", "ours"),
        ("ours-of-old", "ours"),
        ("ours", "ours-again-1"),
        ("ours-again-1", "ours-again-2"),
        ("ours-again-9", "ours-again-10"),
        ("ours-again-x", "ours-again-1"),
    ],
)
def test_a_trigger_differs_from_the_one_that_ran_last(last: str, expected: str) -> None:
    assert numbered("ours", last) == expected
    assert is_of(expected, "ours")


def test_another_s_is_not_ours() -> None:
    assert not is_of("ours-2", "ours")
    assert not is_of("", "ours")
