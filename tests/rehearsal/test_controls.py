"""A planted fault is caught by exactly its own words, at exactly its own path."""

from __future__ import annotations

import pytest

from rehearsal.controls import Kind, caught

OWNER = "owner (0:0, came back as 54321:0)"


@pytest.mark.parametrize(("kind", "told", "is_caught"), [
    (Kind.BYTE_FLIPPED, ("content: in/a",), True),
    (Kind.BYTE_FLIPPED, ("content: other/in/a",), False),
    (Kind.BYTE_FLIPPED, ("content: win/a",), False),
    (Kind.BYTE_FLIPPED, ("content: in/a", "content: b"), False),
    (Kind.BYTE_FLIPPED, ("missing: in/a",), False),
    (Kind.BYTE_FLIPPED, (), False),
    (Kind.FILE_GONE, ("missing: in/a",), True),
    (Kind.FILE_GONE, ("missing: win/a",), False),
    (Kind.OWNER_CHANGED, (f"{OWNER}: in/a",), True),
    (Kind.OWNER_CHANGED, (f"{OWNER}: win/a",), False),
    (Kind.OWNER_CHANGED, (f"{OWNER}: x: in/a",), False),
    (Kind.OLDER_SNAPSHOT, ("size (1, came back as 2): b",), True),
    (Kind.OLDER_SNAPSHOT, (), False),
])  # fmt: skip
def test_a_fault_is_caught_at_its_own_path_alone(kind: Kind, told: tuple[str, ...], is_caught: bool) -> None:
    assert caught(kind, "in/a", told) is is_caught
