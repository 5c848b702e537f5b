"""Fixtures of the contract tests: one real API server pair for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.apiserver import ApiServers, api_servers


@pytest.fixture(scope="session")
def real_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServers]:
    """A real etcd with two real API servers, without controllers."""
    with api_servers(tmp_path_factory.mktemp("apiserver")) as servers:
        yield servers
