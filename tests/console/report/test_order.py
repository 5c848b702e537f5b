"""Which run is the last one: no clock says, for clocks are set back, and begin at 1970 in a machine without a battery."""

from __future__ import annotations

import json
import resource
import threading
from pathlib import Path

import pytest

from console.report.gauges import status_metrics
from console.report.keeping import before, history, keep
from console.runs import ORDER, begun, oldest_first
from console.session import new_run_id
from console.verbs.dr import evidence as verbs
from console.views.pace import pace_of
from engine.errors import SettingsInvalid
from engine.report import Outcome
from engine.step import StepId
from tests.console.modelled_doors import Desk

JUNE = 1_781_000_000.0
CLOCKS = [JUNE, JUNE + 10 * 365 * 86400, JUNE + 60, JUNE - 3600, 5.0]
"""What this machine's clock said as each of five runs began, the first one first."""


def ran(runs: Path, at: float, code: int, started: str = "2026-06-09T10:13:20Z") -> str:
    """A run that began when the clock said so, and ended with this."""
    run = new_run_id(at)
    folder = begun(runs, run)
    verdict = {"word": f"ended with {code}", "tone": "good", "sentence": "", "exit_code": code}
    keep(folder, {"schema": "blackstart.evidence/1", "verb": "cluster.bootstrap", "started": started, "seconds": 1.0,
                  "verdict": verdict})  # fmt: skip
    steps = [{"id": "one", "outcome": Outcome.CHANGED.value, "started": 0.0, "seconds": float(code)}]
    (folder / "events.jsonl").write_text(json.dumps({"event": "RunEnded", "at": 0.0, "report": {"steps": steps}}) + "\n")
    return run


def test_the_last_run_is_the_one_that_began_last_whatever_the_clock_said(desk: Desk, tmp_path: Path) -> None:
    house = desk.running.house
    runs = house.state_dir / "runs"
    for old in ("20250101-000000-00000000", "20240101-000000-00000000"):  # a version of before has noted none of its runs
        (runs / old).mkdir(parents=True)
    names = [ran(runs, at, code) for code, at in enumerate(CLOCKS)]
    told = history(house.state_dir)
    assert [one.run for one in told] == [*reversed(names), "20250101-000000-00000000", "20240101-000000-00000000"]
    assert [one["run"] for one in before(house.state_dir, names[2], "cluster.bootstrap")] == [names[1], names[0]]
    assert len(before(house.state_dir, "a look, which has no folder", "cluster.bootstrap")) == len(names)
    metrics = status_metrics(house, (), told, JUNE)
    assert 'verb="cluster.bootstrap"} 4.0' in metrics.replace("exit_code{", "{", 1)
    (tmp_path / names[-1] / "taken").mkdir(parents=True)
    with pytest.raises(SettingsInvalid, match=names[-1]):
        verbs.write(desk.session("dr.report"), "", str(tmp_path / "{run}"))


def test_of_two_runs_alike_what_is_left_is_told_by_the_last_one(tmp_path: Path) -> None:
    names = [ran(tmp_path, at, 1) for at in CLOCKS]
    pace = pace_of(tmp_path, [StepId("one")])
    assert pace is not None and pace.run == names[-1]


def test_a_line_that_a_power_cut_tore_takes_no_other_with_it(tmp_path: Path) -> None:
    first = ran(tmp_path, JUNE, 0)
    with (tmp_path / ORDER).open("ab") as file:
        file.write(b"20990101-0000\xff")
    second = ran(tmp_path, 5.0, 0)
    assert [one.name for one in oldest_first(tmp_path)] == [first, second]
    (tmp_path / ORDER).unlink()
    third = ran(tmp_path, 4.0, 0)
    assert [one.name for one in oldest_first(tmp_path)] == [second, first, third], "by name, where nothing else is known"


def test_runs_that_begin_at_once_are_all_noted(tmp_path: Path) -> None:
    threads = [threading.Thread(target=begun, args=(tmp_path, f"run-{n}")) for n in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted((tmp_path / ORDER).read_text().split()) == sorted(f"run-{n}" for n in range(20))
    assert len(oldest_first(tmp_path)) == 20


@pytest.mark.parametrize("kind", ["full", "link", "folder"])
def test_a_run_that_cannot_be_noted_has_no_folder(tmp_path: Path, kind: str) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if kind == "link":
        (tmp_path / ORDER).symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        (tmp_path / ORDER).mkdir()
    else:
        begun(tmp_path, "run-0")
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(OSError):
            begun(tmp_path, "run-1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "run-1").exists() and not (tmp_path / "elsewhere").exists()
    if kind == "folder":
        with pytest.raises(OSError):
            oldest_first(tmp_path)
