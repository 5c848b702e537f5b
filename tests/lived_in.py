"""A house built and restored through faults and kills, and a drill in it: `python -m tests.lived_in`. pytest's exit code."""

from __future__ import annotations

import sys

import pytest

CHAPTERS = ("tests/lab/lived_in/test_crashed.py", "tests/lab/lived_in/test_drilled.py")

if __name__ == "__main__":
    sys.exit(pytest.main([*CHAPTERS, "--durations=0", "--durations-min=1", *sys.argv[1:]]))
