"""Fixtures: a modelled house at a person's desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.modelled_doors import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Bare hosts; every claim was backed up an hour ago."""
    return Desk(tmp_path)


@pytest.fixture
def held_desk(tmp_path: Path) -> Desk:
    """After the bootstrap: one claim held."""
    return Desk.bootstrapped(tmp_path)
