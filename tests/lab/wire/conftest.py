"""Fixtures of the Proxmox door's tests: one CA for a module, one door for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.wire.proxmox_bench import Bench


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture
def bench(pki: Path) -> Iterator[Bench]:
    """The Proxmox door's; modules of other doors have a bench of their own."""
    bench = Bench(pki)
    yield bench
    bench.close()
