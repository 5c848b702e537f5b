"""How many examples are drawn: a few in `make test`, others each time; `python -m tests.drawn` draws twenty times as many."""

from __future__ import annotations

import os
import sys

import pytest

_TIMES = "BLACKSTART_TIMES_AS_MANY"
MORE = int(os.environ.get(_TIMES, "1"))
TESTS = ("tests/engine/test_properties.py", "tests/cluster/storage/nas/test_judge.py")
"""The files that draw so many."""

if __name__ == "__main__":
    os.environ[_TIMES] = "20"
    sys.exit(pytest.main([*TESTS, *sys.argv[1:]]))
