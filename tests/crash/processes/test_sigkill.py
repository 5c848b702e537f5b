"""Real processes, real threads, real syncs: killed from outside at random, and two at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.journal import read_state
from tests.crash.processes.killed import STEPS

ROOT = Path(__file__).resolve().parents[3]


def _start(tmp_path: Path) -> subprocess.Popen[bytes]:
    (tmp_path / "world").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.crash.processes.killed", str(tmp_path / "state"), str(tmp_path / "world")]
    return subprocess.Popen(command, cwd=ROOT)


def _made(tmp_path: Path) -> int:
    return sum(path.name.isdigit() for path in (tmp_path / "world").iterdir())


def test_killed_again_and_again_it_converges_and_makes_nothing_twice(tmp_path: Path) -> None:
    """In as many worlds as it takes: on a machine that is busy a kill comes late, and one world ends after few of them."""
    draw = random.Random(11)
    kills = 0
    for world in map(str, range(5)):
        (tmp_path / world).mkdir()
        kills += _killed(tmp_path / world, draw)
        assert _made(tmp_path / world) == STEPS and not (tmp_path / world / "world" / "twice").exists()
        assert read_state(tmp_path / world / "state", lineage="killed").in_flight == {}
        if kills >= 5:
            return
    pytest.fail(f"{kills} kills in five worlds")


def _killed(folder: Path, draw: random.Random) -> int:
    """Begin it until it has come to its end; how often it was killed."""
    kills = 0
    while True:
        process = _start(folder)
        goal = _made(folder) + draw.randint(0, 5)
        while (code := process.poll()) is None and _made(folder) <= goal:
            time.sleep(0.001)
        if code is not None:
            assert code == 0
            return kills
        time.sleep(draw.uniform(0.0, 0.008))
        process.kill()
        process.wait()
        kills += 1


def test_of_two_at_once_one_runs_and_the_other_is_told(tmp_path: Path) -> None:
    both = [_start(tmp_path) for _ in range(2)]
    codes = sorted(process.wait(60) for process in both)
    assert codes in ([0, 11], [0, 0]), "they met, or the second came when the first had ended"
    assert _made(tmp_path) == STEPS and not (tmp_path / "world" / "twice").exists()
