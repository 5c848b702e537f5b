"""What our command line costs before it does anything: `invoke --list` here against a tasks.py with one empty task.

Run it with `python -m bench.command_line`. Both are started in turns, so that whatever else the machine does strikes both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Table

CHECKOUT = Path(__file__).resolve().parent.parent
INVOKE = Path(sys.executable).with_name("invoke")
STARTS = 15
MOST_TIMES_BARE = 1.5
BARE = '''from invoke import task


@task
def nothing(c):
    """Do nothing."""
'''


def seconds(folder: Path) -> float:
    """One `invoke --list`, by the wall."""
    began = time.perf_counter()
    subprocess.run([INVOKE, "--list"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def spread(values: list[float]) -> str:
    """The middle half, as a note."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"middle half {low:.3f} to {high:.3f} s of {len(values)}"


def main() -> int:
    """Measure, tell, and answer the exit code."""
    with tempfile.TemporaryDirectory() as name:
        bare = Path(name)
        (bare / "tasks.py").write_text(BARE, encoding="utf-8")
        for folder in (bare, CHECKOUT):
            seconds(folder)  # the first start compiles
        pairs = [(seconds(bare), seconds(CHECKOUT)) for _ in range(STARTS)]
    theirs, ours = ([pair[side] for pair in pairs] for side in (0, 1))
    ratios = [ours / theirs for theirs, ours in pairs]
    table = Table("command_line")
    table.add("bare invoke --list", statistics.median(theirs), "s", note=spread(theirs))
    table.add("our invoke --list", statistics.median(ours), "s", note=spread(ours))
    low, _, high = statistics.quantiles(ratios, n=4)
    table.add("ours / bare", statistics.median(ratios), "x", MOST_TIMES_BARE, f"middle half {low:.2f} to {high:.2f}")
    return table.tell()


if __name__ == "__main__":
    sys.exit(main())
