"""Fixtures of the adapters' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.apiserver import ApiServers, api_servers


@pytest.fixture(scope="package")
def started_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServers]:
    """A real etcd with two real API servers, without controllers, as long as this folder's tests run."""
    with api_servers(tmp_path_factory.mktemp("apiserver")) as servers:
        yield servers


@pytest.fixture(scope="module")
def real_api(started_api: ApiServers) -> Iterator[ApiServers]:
    """The same for one module: the next one finds nothing of what was made in it."""
    yield started_api
    started_api.rewind()
