"""Three hundred examples over everything that is read; `python -m tests.fuzz --examples 20000` makes more."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.loader import Part
from tests.fuzz.running import fuzz
from tests.fuzz.sweep import sweep
from tests.fuzz.targets import NAMES, good, read


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_written_there_is_read_or_refused(name: str, tmp_path: Path) -> None:
    fuzz(name, 300 // len(NAMES), tmp_path / "house", seeded=True)


def test_the_good_files_are_read_as_the_mutations_are(tmp_path: Path) -> None:
    read("settings", good("settings"), tmp_path)


def test_no_value_of_the_settings_in_another_shape_is_a_bug(tmp_path: Path) -> None:
    assert sweep("settings", tmp_path, (Part.ALL,), in_turn=True) > 70
