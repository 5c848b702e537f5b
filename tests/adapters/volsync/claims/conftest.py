"""The Claims port on real API servers with VolSync's real definitions, and a namespace of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import NAMESPACE, REPLICATION_DESTINATION, REPLICATION_SOURCE, SNAPSHOT
from adapters.volsync.adapter import VolSyncClaims
from adapters.volsync.contents import Reader
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.contract.apiserver import ApiServers

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    define(made.main(), "volsync", "snapshots", kinds=(REPLICATION_SOURCE, REPLICATION_DESTINATION, SNAPSHOT))
    yield made
    made.close()


@pytest.fixture
def client(clients: Clients) -> ApiClient:
    return clients.main()


@pytest.fixture
def ns(client: ApiClient) -> str:
    name = f"claims-{next(NUMBERS)}"
    client.create(NAMESPACE, {"metadata": {"name": name}})
    return name


@pytest.fixture
def claims(clients: Clients) -> VolSyncClaims:
    clock = SystemClock()
    return VolSyncClaims(clients, clock, Reader(clients, clock))
