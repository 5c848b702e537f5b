"""Who may write: one run at a time, which the others are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import JournalBusy, JournalDamaged
from engine.journal import read_state
from tests.engine.journal.written import opened


def test_the_lock_says_who_holds_it(short: Path) -> None:
    with opened(short, "run-first"):
        with pytest.raises(JournalBusy) as caught:
            opened(short, "run-second")
        assert caught.value.exit_code == 11
        assert "run-first" in caught.value.evidence[0] and str(os.getpid()) in caught.value.evidence[0]
        assert read_state(short, lineage="house-1").lines == 6, "reading takes no lock"
    opened(short).close()


def test_the_lock_outlives_us_in_whoever_keeps_a_duplicate(short: Path) -> None:
    journal = opened(short)
    kept = os.dup(journal.lock_fileno())
    journal.close()
    with pytest.raises(JournalBusy):
        opened(short)
    os.close(kept)
    opened(short).close()


def test_a_refused_open_leaves_the_lock_free(short: Path) -> None:
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            opened(short, lineage="house-2")
    opened(short).close()


_HOLD = """
import sys; from pathlib import Path; from engine.journal import open_journal
open_journal(Path(sys.argv[1]), lineage="house-1", run="the-other"); print("held", flush=True); sys.stdin.read()
"""


def test_two_processes_at_once_the_second_is_told_and_a_killed_one_holds_nothing(short: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(short)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(JournalBusy) as caught:
            opened(short)
        assert "the-other" in caught.value.evidence[0] and str(other.pid) in caught.value.evidence[0]
        other.kill()
        other.wait()
        opened(short).close()
