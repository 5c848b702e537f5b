"""What is offered for a number without its unit is what was meant, and the settings take it as it is offered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from house.settings import values

OFFERED = re.compile(r"(?:as in|write) ([0-9].*?)(?:, if that is meant)?$")
NUMBERS = (
    -5, 1, 2, 8, 16, 20, 31, 32, 36, 48, 60, 90, 100, 120, 500, 512, 600, 1000, 1024, 2000, 2048, 3600, 8192, 16000, 16384, 20480,
    86400, 10**6, 2**30, 20 * 2**30, 10**12, 10**17, 1.5, 0.25, 1e300, float("inf"), "16384", "36", "90",
)  # fmt: skip


def offered(read: Callable[[Any], float], value: object) -> list[str]:
    """What would be right instead of `value`, each text by itself; nothing where the value is right."""
    with pytest.raises(ValueError, match="write") as caught:
        read(value)
    found = OFFERED.search(str(caught.value))
    assert found is not None
    return re.split(r", or | or ", found[1])


@pytest.mark.parametrize("read", [values.size_of, values.disk_size_of, values.memory_size_of, values.age_of, values.wait_of])
@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_offered_is_taken(read: Callable[[Any], float], number: object) -> None:
    assert all(read(text) for text in offered(read, number))


@pytest.mark.parametrize("number", [0.5, 1, 1.5, 0.000001, 100, 101, -1, 1e-9, 1e300])
def test_a_share_that_is_offered_is_taken(number: float) -> None:
    assert all(values.share_of(text) for text in offered(values.share_of, number))


@pytest.mark.parametrize(("read", "number", "texts"), [
    (values.memory_size_of, 16384, ["16384MiB", "16GiB"]), (values.memory_size_of, 16, ["16GiB"]),
    (values.memory_size_of, 6000, ["6000MiB"]), (values.memory_size_of, "16384", ["16384MiB", "16GiB"]),
    (values.memory_size_of, 16 * 2**30, ["16GiB"]),
    (values.disk_size_of, 50, ["50GiB"]), (values.disk_size_of, 1000, ["1000GiB"]), (values.disk_size_of, 51200, ["50GiB"]),
    (values.size_of, 100, ["100B"]), (values.size_of, 1000, ["1000B"]),
    (values.age_of, 36, ["36h"]), (values.age_of, 2, ["2h", "2d"]), (values.age_of, 129600, ["129600s"]),
    (values.age_of, "36", ["36h"]),
    (values.wait_of, 30, ["30m"]), (values.wait_of, 600, ["600s"]), (values.wait_of, 2, ["2m", "2h"]),
    (values.wait_of, 1.5, ["10m"]),
])  # fmt: skip
def test_what_is_offered_is_what_was_meant(read: Callable[[Any], float], number: object, texts: list[str]) -> None:
    assert offered(read, number) == texts
