"""Every line of the runbook that only reads ends well in a built house of the lab, and says what the page says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.typed import Does
from tests.crash.wire.bench import Bench
from tests.lab.runbook import type_all

pytestmark = [pytest.mark.programs, pytest.mark.houses]


def test_every_line_that_only_reads_ends_well_and_says_what_the_page_says(bench: Bench, tmp_path: Path) -> None:
    bench.run("cluster.plan", "--offline", "--runbook", str(tmp_path / "runbook.md"))
    counts, wrong = type_all(tmp_path / "runbook.md")
    sys.stdout.write(f"\n{counts.total()} lines, {counts[Does.READS]} typed\n")
    for does in (Does.CHANGES, Does.ASKS, Does.ON_A_HOST):
        sys.stdout.write(f"{counts[does]} not typed: one that {does.value}\n")
    status = ["git", "-C", str(bench.folder.root / "home-ops"), "status", "--porcelain", "--untracked-files=all"]
    left = subprocess.run(status, check=True, capture_output=True, text=True).stdout.split("\n")
    # talosctl makes an empty file where TALOSCONFIG names none: a person has rendered it by then, a few lines above on the page.
    assert [line for line in left if line and not line.endswith("talos/clusterconfig/talosconfig")] == []
    assert wrong == [], "\n".join(wrong)
    assert counts[Does.READS] > 20
