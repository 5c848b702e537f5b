"""The tests that are marked `long`, by themselves: `python -m tests.long`; the exit code is pytest's."""

from __future__ import annotations

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-m", "long", "--durations=0", "--durations-min=1", *sys.argv[1:]]))
