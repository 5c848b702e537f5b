"""For all tests: where there is Go, a test of a real program that is skipped is a failure, not a gap that nobody sees."""

from __future__ import annotations

import shutil
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip of a test marked `programs` into a failure on a machine that could build the programs."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("programs") and shutil.which("go"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and Go is here: build the programs (invoke tools.build). {report.longrepr}"
    return report
