"""Fixtures of the scenario tests: a modelled house per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.running import Running


@pytest.fixture
def empty_house(tmp_path: Path) -> Running:
    """Bare hosts, and every claim backed up an hour ago."""
    running = Running(tmp_path / "state")
    running.backed_up()
    return running


@pytest.fixture
def held_house(tmp_path: Path) -> Running:
    """The same after its bootstrap: every claim is held."""
    return Running.bootstrapped(tmp_path / "state")
