"""A folder with a journal in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.journal.written import ENTRIES, opened


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder with a short journal in it."""
    folder = tmp_path / "state" / "house-1"
    with opened(folder) as journal:
        for entry in ENTRIES:
            journal.append(entry)
    yield folder
