"""Fixtures of the Proxmox door's tests: one CA for a module, one door for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.wire.proxmox_bench import Bench
from tests.lab.wire.proxmox_stranger import Stranger


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture
def bench(pki: Path) -> Iterator[Bench]:
    """The Proxmox door's; modules of other doors have a bench of their own."""
    bench = Bench(pki)
    yield bench
    bench.close()


@pytest.fixture(params=["form", "json"])
def ask(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Stranger]:
    """A stranger, once by each way of asking; nothing that it asked was unknown to the door."""
    stranger = Stranger(bench, request.param)
    yield stranger
    stranger.session.close()
    assert bench.door.unknown == []
