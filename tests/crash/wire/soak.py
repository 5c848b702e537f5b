"""The whole proof by hand, on four nodes: `python -m tests.crash.wire.soak --times 10`. Exit 1 if anything was wrong.

First the fault sample through bootstrap and restore, then so many bootstraps from bare hosts, each killed once at a random moment
of its whole length, half of them alone, half with their group. `--no-faults` leaves the first part out. Kill N of a seed is
always the same one: `--first 4 --times 3` plays the 4th to the 6th.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lab.houses.nouns import HouseShape
from tests.crash.wire import outside, spilled
from tests.crash.wire.bench import Bench
from tests.crash.wire.faults import STORE, Point, sample, through
from tests.crash.wire.kills import kill_once


def main(arguments: list[str]) -> int:
    """Play it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.wire.soak", description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--house", default="four-nodes")
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--lies", action="store_true", help="also the faults that cost five minutes each")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as root:
        bench = Bench.of(chosen.house, Path(root), speed=chosen.speed, scenario="hosts-lost")
        with bench:
            wrongs = [] if chosen.no_faults else faults(bench, chosen.seed, lies=chosen.lies)
            wrongs += kills(bench, chosen.seed, range(chosen.first, chosen.first + chosen.times))
            wrongs += spilled.spilled(bench)
    for wrong in wrongs:
        say(f"WRONG: {wrong}")
    say("everything held" if not wrongs else f"{len(wrongs)} things were wrong")
    return 1 if wrongs else 0


def chosen_points(shape: HouseShape, prefix: str, seed: int, *, lies: bool) -> list[Point]:
    """The sample with a death before every mutation: the house of tests/lab/lived_in meets few of them (story.py)."""
    return sample(shape, prefix, seed, lies=lies)


def faults(bench: Bench, seed: int, *, lies: bool) -> list[str]:
    """The fault sample; what was wrong."""
    endpoint = json.loads(bench.folder.endpoints.read_text())["kubernetes"]["endpoint"]
    points = chosen_points(bench.shape, endpoint.removeprefix("https://").rpartition(".")[0], seed, lies=lies)
    bootstrap = through(bench, points, "cluster.bootstrap")
    say(f"cluster.bootstrap: {bootstrap}, {sum(run.seconds for run in bootstrap.runs):.0f} s")
    wrongs = [*outside.wrongs(bench), *(f"never struck: {point}" for point in bootstrap.missed)]
    restore = through(bench, list(STORE), "dr.restore", good=(0,))
    say(f"dr.restore: {restore}, {sum(run.seconds for run in restore.runs):.0f} s")
    return [*wrongs, *(f"never struck: {point}" for point in restore.missed)]


def kills(bench: Bench, seed: int, numbers: Iterable[int]) -> list[str]:
    """The kills of these numbers, a line each; what was wrong."""
    wrongs = []
    bench.lose_everything()
    length = bench.converge("cluster.bootstrap").seconds
    say(f"an undisturbed bootstrap takes {length:.0f} s\n")
    say(f"{'kill':>4}  {'at':>7}  {'whom':<6}  {'items done':>10}  {'resumed in':>10}  {'resumed':<40}  outcome")
    for number in numbers:
        one = kill_once(bench, seed, number, length)
        done = sum(line.get("event") == "StepEnded" for line in one.killed.lines)
        resumed = ", ".join(step["id"] for step in one.resumed.result["steps"] if step["resumed"]) or "nothing in flight"
        whom, outcome = "group" if one.group else "alone", "; ".join(one.wrongs) or "ok"
        say(f"{number:>4}  {one.at_s:>5.1f} s  {whom:<6}  {done:>10}  {one.resumed.seconds:>8.1f} s  {resumed:<40}  {outcome}")
        wrongs += one.wrongs
    return wrongs


def say(line: str) -> None:
    """One line, at once, for it comes minutes before the next."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
