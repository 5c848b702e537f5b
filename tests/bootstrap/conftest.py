"""Fixtures: the modelled house before and after its bootstrap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hands import only
from tests.scenario.running import Running


@pytest.fixture
def bare(tmp_path: Path) -> Running:
    """Bare hosts; every claim was backed up an hour ago."""
    house = Running(tmp_path / "state")
    house.backed_up()
    return house


@pytest.fixture
def built(bare: Running) -> Running:
    """The same house after its bootstrap, one claim held."""
    assert bare.apply(bare.bootstrap).converged
    return bare


@pytest.fixture
def with_vms(bare: Running) -> Running:
    """Bare hosts that have fetched the image and made the VMs; nothing is switched on."""
    assert bare.apply(only(bare.bootstrap, "preflight.", "proxmox.lift", "proxmox.fetch-image", "proxmox.create-vm")).converged
    return bare


@pytest.fixture
def in_maintenance(bare: Running) -> Running:
    """Every VM is switched on and answers in maintenance; nothing is rendered."""
    assert bare.apply(only(bare.bootstrap, "preflight.", "proxmox.")).converged
    bare.clock.sleep(30)
    return bare
