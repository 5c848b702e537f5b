"""What `invoke cluster.verify` is red about."""

from __future__ import annotations

from engine.errors import EXIT_DRIFT, EXIT_HELD, EXIT_STEP_FAILED
from tests.crash.wire.bench import Bench, Ended

YOUNG = frozenset({"storage.snapshots/lab-block", "house.inventory"})
"""Advisory, and true of every house that was just built: nobody has tried yet what a snapshot of this class is worth, or written
down what the house is made of."""


def red(bench: Bench) -> dict[str, str]:
    """The rows of a verify that are red by themselves, each with its words; what only waits for them is left out."""
    ended = bench.run("cluster.verify")
    rows = red_rows(ended)
    grave = [row["id"] for row in ended.result["steps"] if row["outcome"] == "failed" and not row["advisory"]]
    assert ended.code in ((EXIT_DRIFT, EXIT_STEP_FAILED) if grave else (0, EXIT_HELD)), (ended.code, grave, ended.result)
    return rows


def red_rows(ended: Ended) -> dict[str, str]:
    """The same of a verb that was run."""
    assert "steps" in ended.result, (ended.code, ended.lines[-3:])
    failed = {row["id"]: row["detail"] for row in ended.result["steps"] if row["outcome"] == "failed"}
    return {row: told for row, told in failed.items() if row not in YOUNG}
