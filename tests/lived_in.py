"""A house built through faults and kills, then a drill in it: `python -m tests.lived_in`; its exit code is `played`'s."""

from __future__ import annotations

import sys

from tests.played import played

CHAPTERS = ("tests/lab/lived_in/test_crashed.py", "tests/lab/lived_in/test_drilled.py")

if __name__ == "__main__":
    sys.exit(played([*CHAPTERS, "--durations=0", "--durations-min=1", *sys.argv[1:]]))
