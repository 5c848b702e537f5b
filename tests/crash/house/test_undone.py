"""An undo whose record said that it was written, and was not."""

from __future__ import annotations

from pathlib import Path

from lab.ports.journal_disk import FencedDisk
from lab.world.faults import Fault
from tests.crash.house.undone import UndoneHouse


def test_the_mark_stays_on_the_volume_until_the_record_says_released(tmp_path: Path) -> None:
    """It is the last trace of what was to come back: without it, a claim that is held still is held for good."""
    house = UndoneHouse(tmp_path / "house", 1)
    house.world.faults.arm("hold.put/apps/notes#2", Fault.LIE_ONCE)
    for _ in range(2):
        report = house.live(FencedDisk(house.clock.fence))
        house.clock.bury()
        house.clock.new_life()
        if report.converged:
            break
    assert house.world.faults.struck
    assert report.converged, report.root_causes
    assert not [*house.left_open(), *house.doubled()]
