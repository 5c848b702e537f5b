"""A look at a volume of before that lied once: nothing is held against the volume that a second look does not find."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.ports.journal_disk import FencedDisk
from lab.world.faults import Fault
from tests.crash.house.survived import SurvivedHouse


@pytest.mark.parametrize("backup", ["there", "gone"])
def test_a_look_that_saw_nothing_puts_no_word_on_the_volume(tmp_path: Path, backup: str) -> None:
    """The word stays on it, and would have a person give up what is newer than the backup."""
    house = SurvivedHouse(tmp_path / "house", 1)
    method = "compare" if backup == "there" else "contents"
    if backup == "gone":
        house.home.store.repositories.clear()
    house.world.faults.arm(f"claims.{method}/apps/blackstart-notes#1", Fault.LIE_ONCE)
    for _ in range(2):
        house.lives.live(house.looking, FencedDisk(house.clock.fence))
        house.clock.bury()
        house.clock.new_life()
    assert house.world.faults.struck
    (kept,) = house.home.look().kept.volumes()
    assert kept.found is not None and kept.found.word.name == ("NEWER" if backup == "there" else "ALONE"), kept.found
