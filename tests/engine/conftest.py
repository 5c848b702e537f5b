"""A bench per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.toys import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A fresh house with an empty shelf."""
    return Bench(tmp_path / "state" / "house-1")
