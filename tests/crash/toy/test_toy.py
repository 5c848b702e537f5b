"""The crash matrix over the toy World: the engine's own proof, before any real step."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.ports.journal_disk import DiskFault, FencedDisk
from lab.world.faults import Fault
from tests.crash.matrix import explore
from tests.crash.toy.stage import ToyStage


def test_every_fault_at_every_mutation_and_every_journal_write_converges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = explore(ToyStage, tmp_path / "matrix")
    with capsys.disabled():
        print(f"\n{matrix}")  # noqa: T201 - how many points were tried is part of the proof
    assert matrix.failures == []
    assert {name.split("/")[0] for name in matrix.mutations} == {f"workshop.{act}" for act in ("make", "ring", "paint", "seal")}
    assert matrix.points == len(matrix.mutations) * len(Fault) + matrix.writes * len(DiskFault)


def test_without_settling_something_is_done_twice(tmp_path: Path) -> None:
    """The matrix can fail: a step that does not wait for the world to settle rings a bell twice after a lost reply."""
    matrix = explore(lambda folder, seed: ToyStage(folder, seed, settle_s=0.0), tmp_path, disk_faults=())
    assert any("ring" in failure and "2 times" in failure for failure in matrix.failures)


def test_a_run_can_be_repeated_by_its_seed(tmp_path: Path) -> None:
    histories = []
    for attempt in range(2):
        stage = ToyStage(tmp_path / str(attempt), seed=7)
        stage.world.faults.arm("workshop.ring/*", Fault.LOSE_REPLY)
        stage.live(FencedDisk(stage.clock.fence))
        histories.append((stage.world.faults.reached, (tmp_path / str(attempt) / "journal").read_bytes()))
    assert histories[0] == histories[1]
