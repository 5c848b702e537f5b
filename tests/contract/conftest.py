"""Fixtures of the contract tests: one real API server for all of them, and both doors of Proxmox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.apiserver import ApiServers, api_servers
from tests.contract.proxmox.proxmox_doors import Door, modelled_door, wire_door


@pytest.fixture(scope="package")
def started_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServers]:
    """A real etcd with a real API server, without controllers, as long as this folder's tests run."""
    with api_servers(tmp_path_factory.mktemp("apiserver"), count=1) as servers:
        yield servers


@pytest.fixture(scope="module")
def real_api(started_api: ApiServers) -> Iterator[ApiServers]:
    """The same for one module: the next one finds nothing of what was made in it."""
    yield started_api
    started_api.rewind()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lab's authority lives; its keys serve every test of this module."""
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(params=["modelled", "wire"])
def door(request: pytest.FixtureRequest, pki: Path) -> Iterator[Door]:
    """One door after the other, each to a fresh world."""
    if request.param == "modelled":
        yield modelled_door()
    else:
        with wire_door(pki) as door:
            yield door
