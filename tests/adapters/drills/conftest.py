"""One restored volume for each test that asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.drills.volumes import Volume


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path / "pod")
