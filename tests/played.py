"""Tests as a proof: pytest's exit code, and ABSENT where a test could not look for want of its programs.

pytest calls a run green in which everything was skipped. Where Go is such a skip fails (conftest.py); elsewhere nothing held.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.prove import ABSENT


class _Skipped:
    """Whether a test was skipped whose programs nobody has to ask for."""

    def __init__(self) -> None:
        self.any = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See pytest."""
        wanted = "programs" in report.keywords and "asked" not in report.keywords
        self.any = self.any or (report.skipped and wanted and not hasattr(report, "wasxfail"))


def played(arguments: Sequence[str]) -> int:
    """Run these tests."""
    skipped = _Skipped()
    code = int(pytest.main(list(arguments), plugins=[skipped]))
    return ABSENT if code == 0 and skipped.any else code
