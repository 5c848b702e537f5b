"""What the tests of this folder stand on: a checkout with the real modules in a folder of its own, and a Go that is a script."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tools.stubs import FakeGo, a_fake_go
from tools.places import CHECKOUT, Places


@pytest.fixture
def fake_go(tmp_path: Path) -> FakeGo:
    return a_fake_go(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Places:
    # The number in its name is a trap: programs print the path they were called by before their version.
    shutil.copytree(CHECKOUT / "tools" / "go", tmp_path / "house-1.2" / "tools" / "go")
    return Places(tmp_path / "house-1.2")
