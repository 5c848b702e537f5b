"""The command line as it is typed: the list of verbs, and invoke's own --dry, which would call success what was never done."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """Run invoke with these words in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_list_shows_every_verb_with_its_line() -> None:
    listed = typed("--list")
    assert listed.returncode == 0, listed.stderr
    for area, verbs in import_module("tasks").AREAS.items():
        for name in verbs:
            (line,) = [text for text in listed.stdout.splitlines() if text.split()[:1] == [f"{area}.{name}"]]
            assert len(line.split()) > 3, f"{area}.{name} has no help"
            assert line.endswith("."), f"the help of {area}.{name} is longer than a line"


def test_dry_is_refused_with_the_verb_that_is_meant() -> None:
    refused = typed("--dry", "cluster.bootstrap")
    assert refused.returncode == 20
    assert "cluster.plan" in refused.stdout + refused.stderr
