"""Each fault of a cluster's system, begun by `lab.fault` in a running house, is named by its own row in time, and by no other."""

from __future__ import annotations

import time

import pytest

from lab.troubles.component import COMPONENT_TROUBLES
from lab.troubles.component_faults import NOT_HERE
from tests.crash.wire.bench import Bench
from tests.lab.built.rows import red

pytestmark = [pytest.mark.programs, pytest.mark.houses]
HERE = [one for one in COMPONENT_TROUBLES.values() if one.name not in NOT_HERE]
SHORT = ("cert-manager-issuer-refused",)
"""The others are of the same kinds, and played by `python -m tests.long`."""
GONE_WITHIN_S = 60.0


@pytest.mark.parametrize("name", [pytest.param(one.name, marks=[pytest.mark.long] * (one.name not in SHORT)) for one in HERE])
def test_a_fault_of_a_system_is_named_in_time_and_gone_when_it_ends(bench: Bench, name: str) -> None:
    trouble = COMPONENT_TROUBLES[name]
    bench.ask("trouble", name=name, target="")
    began = time.monotonic()
    try:
        rows = red(bench)
        while list(rows) != [trouble.row] and time.monotonic() < began + trouble.seen_within_s:
            rows = red(bench)
    finally:
        bench.ask("trouble", name=name, target="", end=True)
    assert list(rows) == [trouble.row], rows
    ended = time.monotonic()
    while (left := red(bench)) and time.monotonic() < ended + GONE_WITHIN_S:
        time.sleep(1.0)
    assert left == {}
