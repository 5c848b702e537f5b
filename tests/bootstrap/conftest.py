"""Fixtures: the modelled house before and after its bootstrap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.copied import copied
from tests.hands import only
from tests.scenario.running import Running


@pytest.fixture
def bare(tmp_path: Path) -> Running:
    """Bare hosts; every claim was backed up an hour ago."""
    house = Running(tmp_path / "state")
    house.backed_up()
    return house


@pytest.fixture
def built(tmp_path: Path) -> Running:
    """The same house after its bootstrap, one claim held."""
    return Running.bootstrapped(tmp_path / "state")


@pytest.fixture
def with_vms(tmp_path: Path) -> Running:
    """Bare hosts that have fetched the image and made the VMs; nothing is switched on."""
    return copied(_up_to, tmp_path / "state", "proxmox.lift", "proxmox.fetch-image", "proxmox.create-vm")


@pytest.fixture
def in_maintenance(tmp_path: Path) -> Running:
    """Every VM is switched on and answers in maintenance; nothing is rendered."""
    house = copied(_up_to, tmp_path / "state", "proxmox.")
    house.clock.sleep(30)
    return house


def _up_to(folder: Path, *steps: str) -> Running:
    house = Running(folder)
    house.backed_up()
    assert house.apply(only(house.bootstrap, "preflight.", *steps)).converged
    return house
