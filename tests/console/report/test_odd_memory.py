"""What is remembered is outside input: whatever stands in a kept document or a state file, it is told, and ends nothing.

A moment that is still to come proves nothing: a clock was wrong then, or is now.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cluster.backups.proofs import Kind
from console.ending import guarded
from console.gate import proof_checks
from console.pastdrills import past_drills
from console.report.keeping import before, documents, history
from console.report.proven import State, remembered, standings
from console.verbs.dr.evidence import history_of
from console.verbs.dr.schedule import ran
from console.verbs.dr.status import status_of
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED, PermanentError
from house.model import House
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed
from tests.console.report.test_status import DAY, PROOF, drilled, noted, passing

ODD: tuple[Any, ...] = (float("inf"), float("nan"), 1e300, -1e300, 10**400, -1, True, "7", None, [], {}, "x\x00\ud800", [[]] * 3)
NOW = 1_750_000_000.0


@pytest.fixture
def house(desk: Desk) -> House:
    return desk.running.house


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each place of a document."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def spoilt(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy with this value there."""
    made = json.loads(json.dumps(document))
    inner = made
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return made


def test_no_document_that_is_kept_ends_a_look_at_what_was(desk: Desk, house: House, capsys: Printed) -> None:
    drilled(house, passing())
    path = house.state_dir / "runs" / "run-1" / "evidence.json"
    good = json.loads(path.read_text())
    proven = 0
    for at in places(good):
        for value in ODD[::2]:
            path.write_text(json.dumps(spoilt(good, at, value)))
            told = [one.seconds for one in history(house.state_dir)]
            assert all(one is None or 0 <= one < 1e12 for one in told), (at, value)
            proven += standings(house, remembered(house, {}, NOW), NOW)[0].state is State.PROVEN
            assert all(0 <= one < 1e12 for one in past_drills(house, NOW).took.values()), (at, value)
    assert proven, "some of it does not matter"
    path.write_text("[" * 100_000)
    assert history(house.state_dir)[0].exit_code is None and not remembered(house, {}, NOW).found


@pytest.mark.parametrize("value", [one for one in ODD if one != -1])
@pytest.mark.parametrize("key", ["verb", "every", "since"])
def test_a_schedule_that_cannot_be_read_is_never_on_time(desk: Desk, house: House, key: str, value: Any) -> None:
    told = {"verb": "dr.rehearse", "every": "weekly", "since": time.time(), key: value}
    house.state_dir.mkdir(parents=True, exist_ok=True)
    (house.state_dir / "schedule.json").write_text(json.dumps(told))
    assert guarded("dr.schedule", False, lambda: ran(desk.session("dr.schedule"))) not in (EXIT_OK, 70)


def scheduled(desk: Desk, since: float) -> int:
    state = desk.running.house.state_dir
    state.mkdir(parents=True, exist_ok=True)
    (state / "schedule.json").write_text(json.dumps({"verb": "dr.rehearse", "every": "weekly", "since": since}))
    return guarded("dr.schedule", False, lambda: ran(desk.session("dr.schedule")))


def began(house: House, at: float) -> None:
    drilled(house, passing())
    path = house.state_dir / "runs" / "run-1" / "evidence.json"
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"started": stamp}))


@pytest.mark.parametrize(("since", "last", "code"), [
    (-30, None, EXIT_DRIFT), (-30, -1, EXIT_OK), (-1, None, EXIT_OK), (-30, 365, EXIT_DRIFT), (365, None, EXIT_DRIFT),
    (365, -1, EXIT_OK), (-1, 365, EXIT_OK),
])  # fmt: skip
def test_what_is_still_to_come_is_no_drill_that_came(
    desk: Desk, house: House, since: float, last: float | None, code: int, capsys: Printed
) -> None:
    if last is not None:
        began(house, time.time() + last * DAY)
    assert scheduled(desk, time.time() + since * DAY) == code
    out = " ".join(capsys.readouterr().out.split())
    assert ("still to come" in out) is (max(since, last or 0.0) > 0)
    assert ("nobody knows when one was due" in out) is (since > 0 and last is None)


def test_a_proof_that_is_still_to_come_is_not_counted_and_hides_none_that_was(
    desk: Desk, house: House, capsys: Printed
) -> None:
    now = time.time()
    noted(house, PROOF.note(), at=now + 400 * DAY)
    assert status_of(desk.session("dr.status")) == EXIT_DRIFT
    out = " ".join(capsys.readouterr().out.split())
    assert "not counted: a proof of apps/notes" in out and "is still to come" in out and "1 never proven" in out
    noted(house, replace(PROOF, snapshot_id="good").note(), at=now - DAY, run="run-2")
    memory = remembered(house, {}, now)
    assert [one.told.snapshot_id for one in memory.found if one.told] == ["good"]
    assert standings(house, memory, now)[0].state is State.PROVEN
    assert status_of(desk.session("dr.status")) == EXIT_DRIFT, "a clock is wrong, and somebody should look"


@pytest.mark.parametrize(("other", "counts"), [({}, 1), ({"key": "apps/notes-2"}, 0), ({"kind": Kind.DATABASE}, 0)])
def test_only_what_is_odd_of_a_claim_is_told_of_it(desk: Desk, house: House, other: dict[str, Any], counts: int) -> None:
    """Its name begins another's, and a database may be called as a claim is."""
    now = time.time()
    noted(house, replace(PROOF, **other).note(), at=now + 400 * DAY)
    check = next(one for one in proof_checks(house, {}, now) if one.standing.key == PROOF.key)
    assert check.standing.state is State.NEVER
    assert len(check.odd) == counts


@pytest.mark.parametrize("point", ["2099-01-01T00:00:00Z", "zzzz", ""])
def test_a_restore_point_that_nobody_can_have_had_hides_none_that_was(desk: Desk, house: House, point: str) -> None:
    now = time.time()
    noted(house, replace(PROOF, point=point, snapshot_id="odd").note(), at=now - 60 * DAY)
    noted(house, replace(PROOF, snapshot_id="good").note(), at=now - DAY, run="run-2")
    (one,) = standings(house, remembered(house, {}, now), now)
    assert (one.state, one.snapshot) == (State.PROVEN, "good")


@pytest.mark.parametrize("name", ["/", ".", "..", "folder", "gone/file", "file/below", "pipe", "x" * 300])
@pytest.mark.parametrize("which", ["metrics", "alerts"])
def test_a_place_where_no_file_can_be_written_is_told(desk: Desk, tmp_path: Path, which: str, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("theirs")
    os.mkfifo(tmp_path / "pipe")
    asked = {"metrics": "", "alerts": "", which: name if name.strip("/.") == "" else str(tmp_path / name)}
    code = guarded("dr.status", False, lambda: status_of(desk.session("dr.status"), **asked))
    assert code not in (EXIT_OK, EXIT_DRIFT, 70)
    assert {one.name for one in tmp_path.iterdir()} - {"state"} == {"folder", "file", "pipe"}
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "file").read_text() == "theirs"


NO_FOLDER = [Path.touch, os.mkfifo, lambda path: path.symlink_to("/media/not-mounted"), lambda path: path.symlink_to(path.name)]


@pytest.mark.parametrize("make", NO_FOLDER)
def test_runs_that_nobody_can_list_are_not_called_none(desk: Desk, make: Callable[[Path], object], capsys: Printed) -> None:
    make_room(desk.running.house)
    make(desk.running.house.state_dir / "runs")
    for look in (history, lambda state: list(documents(state))):
        with pytest.raises(PermanentError, match="runs of this house cannot be read"):
            look(desk.running.house.state_dir)
    assert before(desk.running.house.state_dir, "x", "dr.restore") == (), "no report is lost by it"
    assert guarded("dr.history", False, lambda: history_of(desk.session("dr.history"))) == EXIT_STEP_FAILED
    assert "cannot be read" in capsys.readouterr().err


def make_room(house: House) -> None:
    house.state_dir.mkdir(parents=True, exist_ok=True)
