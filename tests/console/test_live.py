"""The block of what runs, on a terminal that is narrower than names are long."""

from __future__ import annotations

import io
import re

from rich.console import Console

from console.live import LiveView
from engine.events import RunStarted, StepStarted, StepWaiting
from engine.step import StepId

LONG = StepId("helm.sync-release/observability/kube-prometheus-stack")


def test_how_long_it_waits_and_yet_will_is_seen_on_a_narrow_terminal() -> None:
    out = io.StringIO()
    with LiveView(Console(file=out, force_terminal=True, width=72, height=10, soft_wrap=True), "[simulated] ") as view:
        view(RunStarted(0.0, "run-1", (LONG,), 0))
        view(StepStarted(0.0, LONG, "a release", is_check=False))
        view(StepWaiting(0.0, LONG, "its [Deployment] of a name that is longer than any terminal", 300.0))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "0 of 1 done" in shown
    line = [line for line in shown.splitlines() if "helm.sync" in line][-1]
    assert re.match(r" +0 s, at most 300 s yet  helm\.sync-release/.*…$", line), line
    assert len(line) <= 72
