"""A sample of the table of `python -m tests.crash.processes.escape`: what flees is gone when the next run can begin."""

from __future__ import annotations

import pytest

from tests.crash.processes.escape import DONE, KILLED_WHOLE, play


@pytest.mark.usefixtures("hung_up")
@pytest.mark.parametrize(
    ("program", "end"),
    [
        ("timeout(1)", "SIGKILL"),
        ("set -m", "Ctrl-C twice"),
        ("setsid", KILLED_WHOLE),
        ("double fork", DONE),
        ("ignores SIGTERM", "SIGHUP"),
    ],
)
def test_nothing_that_fled_is_alive_when_the_next_run_has_the_lock(program: str, end: str) -> None:
    assert play(program, end) == "0"
