"""What a whole bootstrap takes in the lab: against the longest chain of its own steps, and against a plain shell script.

Run it with `python -m bench.bootstrap [SPEED]`; SPEED is the lab's (1: machines boot as slowly as real ones). It brings a house
up twice, once for `cluster.bootstrap` and once for bench/baseline.sh, and takes some minutes. Needs the lab's programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.table import Table
from console.demo.driving import Driver, Verb
from engine.errors import EXIT_HELD, EXIT_OK
from house.loader import load
from lab.houses.building import builder
from lab.houses.nouns import HouseFolder
from lab.running.starting import start, stop
from tools.places import Places

HOUSE = "four-nodes"
SCRIPT = Path(__file__).with_name("baseline.sh")
GIB = 1 << 30
# A run can't be shorter than its longest chain; above this the schedule itself stands in the way.
MOST_TIMES_CRITICAL = 1.5
# The script checks nothing, holds nothing and proves nothing: being no slower than it is enough.
MOST_TIMES_SCRIPT = 1.0


@contextmanager
def house(speed: float) -> Iterator[HouseFolder]:
    """A new, empty house, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = HouseFolder(Path(name) / HOUSE)
        start(HOUSE, "empty", speed, folder)
        try:
            yield folder
        finally:
            stop(HOUSE, folder)


def longest_chain(needs: Mapping[str, Sequence[str]], seconds: Mapping[str, float]) -> tuple[float, list[str]]:
    """The chain of steps, each needing the one before, with the greatest sum of seconds: that sum, and the chain."""
    best: dict[str, tuple[float, list[str]]] = {}

    def up_to(name: str) -> tuple[float, list[str]]:
        if name not in best:
            before = max((up_to(need) for need in needs.get(name, ())), default=(0.0, []))
            best[name] = (before[0] + seconds.get(name, 0.0), [*before[1], name])
        return best[name]

    return max((up_to(name) for name in needs), default=(0.0, []))


def ours(folder: HouseFolder) -> tuple[float, float, list[tuple[str, float]]]:
    """Seconds of the run, seconds of its longest chain, and that chain's slowest steps."""
    driver = Driver(folder.settings)
    outline = _good(driver.run("cluster.plan", "--offline"), EXIT_OK)
    needs = {row["id"]: row["needs"] for row in outline["lines"]}
    began = time.perf_counter()
    result = _good(driver.run("cluster.bootstrap"), EXIT_HELD)
    took = time.perf_counter() - began
    seconds = {row["id"]: float(row["seconds"]) for row in result["steps"]}
    critical, chain = longest_chain(needs, seconds)
    slowest = sorted(((name, seconds.get(name, 0.0)) for name in chain), key=lambda step: -step[1])
    return took, critical, slowest[:5]


def _good(verb: Verb, code: int) -> dict[str, Any]:
    if verb.code != code:
        raise RuntimeError(f"ended with {verb.code}, not {code}: {verb.result.get('outcome')}")
    return verb.result


def script(folder: HouseFolder) -> float:
    """Seconds that baseline.sh takes for the same house."""
    made = load(folder.settings, builder())
    lines = [
        f"{n.name} {n.host} {n.vm_id} {n.address} {n.mac} {n.cores} {n.memory >> 20} {n.disks[0].size // GIB}"
        f" {n.disks[1].size // GIB if len(n.disks) > 1 else 0} {'control-plane' if n.control_plane else 'worker'}\n"
        for n in made.nodes
    ]
    work = folder.root / "baseline"
    work.mkdir()
    nodes = work / "nodes"
    nodes.write_text("".join(lines), encoding="utf-8")
    environment = {
        "PATH": f"{Places().programs}:{os.environ['PATH']}", "HOME": str(work),
        "IMAGE_URL": made.image.url, "IMAGE_SHA256": made.image.sha256,
    }  # fmt: skip
    began = time.perf_counter()
    subprocess.run([SCRIPT, folder.root, nodes, work], check=True, env=environment, timeout=1800)
    return time.perf_counter() - began


def main(speed: float) -> int:
    """Measure, tell, and answer the exit code."""
    print(f"Two bootstraps of {HOUSE} at speed {speed:g}: this takes about ten minutes at speed 1.", flush=True)
    with house(speed) as folder:
        took, critical, slowest = ours(folder)
    with house(speed) as folder:
        plain = script(folder)
    table = Table("bootstrap")
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in slowest)
    table.add("cluster.bootstrap", took, "s", note="with every check, the hold and the journal")
    table.add("its longest chain of steps", critical, "s", note=told)
    table.add("cluster.bootstrap / longest chain", took / critical, "x", MOST_TIMES_CRITICAL)
    table.add("baseline.sh", plain, "s", note="no checks, no hold, no journal; loops that sleep 5 s")
    table.add("cluster.bootstrap / baseline.sh", took / plain, "x", MOST_TIMES_SCRIPT)
    return table.tell()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
