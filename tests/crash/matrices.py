"""Every fault at every mutation and journal write of every stage: `python -m tests.crash.matrices [STAGE...]`. 1 if one failed.

house/test_house.py visits a part that stands for it, toy/test_toy.py one order of turns; this is the whole. Stages are explored
side by side, one on each core.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import cast

from tests.crash.house.beneath import STAGES
from tests.crash.house.neighboured import BESIDE
from tests.crash.matrix import MakeStage, Matrix, explore
from tests.crash.toy.stage import ToyStage

_STAGES = {stage.__name__: cast("MakeStage", stage) for stage in (*STAGES, *BESIDE, ToyStage)}
_SEEDS = {"ToyStage": (1, 2, 3)}


def whole(name: str) -> Matrix:
    """The whole matrix of the stage of this name."""
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        return explore(_STAGES[name], Path(folder, name), seeds=_SEEDS.get(name, (1,)))


def main(names: list[str]) -> int:
    """Explore these stages, or all; answers the exit code."""
    if unknown := [name for name in names if name not in _STAGES]:
        sys.stdout.write(f"no such stage: {', '.join(unknown)}. There are: {', '.join(_STAGES)}\n")
        return 2
    # The bare house has the most points by far: begun first, it keeps one core while the others share the rest.
    wanted = sorted(names or _STAGES, key=lambda name: name != "House")
    failed = 0
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=multiprocessing.get_context("spawn")) as pool:
        exploring = {pool.submit(whole, name): name for name in wanted}
        for done in as_completed(exploring):
            matrix = done.result()
            failed += len(matrix.failures)
            sys.stdout.write(f"{exploring[done]}: {matrix}\n" + "".join(f"  {failure}\n" for failure in matrix.failures))
            sys.stdout.flush()
    sys.stdout.write("everything converged\n" if not failed else f"{failed} points failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
