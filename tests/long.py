"""The tests that are marked `long`, by themselves: `python -m tests.long`; the exit code is that of `played`."""

from __future__ import annotations

import sys

from tests.played import played

if __name__ == "__main__":
    sys.exit(played(["-m", "long", "--durations=0", "--durations-min=1", *sys.argv[1:]]))
