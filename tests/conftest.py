"""For all tests: a skip that nobody would see is a failure, and whoever starts them may ignore Ctrl-C."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Generator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Hear SIGINT again where we were started deaf to it (a background job): the programs that are interrupted here inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
