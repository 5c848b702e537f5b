"""`python -m tests.coverage`: arms every fault of every system in the whole modelled house, and reads `cluster.verify --json`.

Exits 1 on any row that is red too much or too little. `--write` makes docs/coverage.md anew.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.coverage.desk import WholeDesk, red
from tests.coverage.document import DOCUMENT, page
from tests.coverage.systems import Fault, systems
from tests.crash.apart import Built

Answer = tuple[dict[str, str], float]


def main() -> int:
    """See the module."""
    if "--write" in sys.argv:
        DOCUMENT.write_text(page(systems()), encoding="utf-8")
        print(f"written: {DOCUMENT.name}")
        return 0
    faults = {fault.name: fault for system in systems() for fault in system.faults}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Built(WholeDesk, Path(folder) / "whole")
        quiet, seconds = whole.visit(looked)
        print(f"nothing armed: {len(quiet)} rows red, {seconds:.2f} s")
        wrong += tell("nothing", (), quiet) if quiet else 0
        for fault in faults.values():
            found, seconds = whole.visit(lambda desk, fault=fault: struck(desk, fault))  # type: ignore[misc]  # bound as it is now
            wrong += tell(fault.name, fault.rows, found)
    print(f"{len(faults)} faults, {wrong} with a row too much or too little")
    return 1 if wrong else 0


def struck(desk: WholeDesk, fault: Fault) -> Answer:
    """What is red once the fault is there, and how many seconds the look took."""
    fault.arm(desk.running)
    return looked(desk)


def looked(desk: WholeDesk) -> Answer:
    """The same of the house as it is."""
    began = time.monotonic()
    return red(desk.verified()), time.monotonic() - began


def tell(name: str, wanted: tuple[str, ...], found: dict[str, str]) -> int:
    """One line for what came of a fault; 1 where that is not what was to come."""
    much, little = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    if not (much or little):
        print(f"{name}: {', '.join(sorted(found))}")
        return 0
    told = ", ".join(f"{row} ({found[row]})" for row in much) or "nothing"
    print(f"WRONG {name}: too much {told}; too little {', '.join(little) or 'nothing'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
