"""Real API servers with what a reader of volumes needs, and a kubelet for its pods."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import (
    CLAIM,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    POD,
    REPLICATION_DESTINATION,
    SECRET,
    SNAPSHOT,
)
from adapters.volsync.contents import Limits, Reader
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.adapters.volsync.kubelet import MOVER, NS, Kubelet, Logs, status
from tests.contract.apiserver import ApiServers


@pytest.fixture(scope="package")
def real_api(started_api: ApiServers) -> Iterator[ApiServers]:
    """The API servers for all modules of this folder."""
    yield started_api
    started_api.rewind()


@pytest.fixture(scope="package")
def client(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    clients = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    made = clients.main()
    define(made, "volsync", "snapshots", kinds=(REPLICATION_DESTINATION, SNAPSHOT))
    made.create(NAMESPACE, {"metadata": {"name": NS}})
    container = {"name": "manager", "image": "registry.example/volsync:9", "args": [f"--restic-container-image={MOVER}"]}
    labels = {"app.kubernetes.io/name": "volsync"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    made.create(DEPLOYMENT, {"metadata": {"name": "volsync", "labels": labels}, "spec": deployment}, NS)
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Mi"}}}
    made.create(CLAIM, {"metadata": {"name": "volsync-dst-dest"}, "spec": spec | {"storageClassName": "fast"}}, NS)
    made.create(
        SNAPSHOT,
        {"metadata": {"name": "img"}, "spec": {"source": {"persistentVolumeClaimName": "volsync-dst-dest"}}},
        NS,
    )
    status(made, SNAPSHOT.path(NS, "img", "status"), {"readyToUse": True, "restoreSize": "3Mi"})
    yield made
    clients.close()


@pytest.fixture
def kubelet(client: ApiClient, real_api: ApiServers, tmp_path: Path) -> Iterator[Kubelet]:
    logs = Logs(real_api.addresses[0], tmp_path)
    # As daemons: a fixture that fails on its way must not keep the tests from ending.
    serving = threading.Thread(target=logs.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    serving.start()
    client.create(NODE, {"metadata": {"name": "reader-node"}})
    addresses = [{"type": "InternalIP", "address": real_api.addresses[0]}]
    endpoint = {"kubeletEndpoint": {"Port": logs.server_port}}
    status(client, NODE.path("", "reader-node", "status"), {"addresses": addresses, "daemonEndpoints": endpoint})
    volume = tmp_path / "volume"
    volume.mkdir()
    for name in ("a", "with space", "odd\nname"):
        (volume / name).write_text(name)
    made = Kubelet(client, logs, volume)
    running = threading.Thread(target=made.loop, daemon=True)
    running.start()
    yield made
    made.stop()
    running.join()
    logs.shutdown()
    logs.server_close()
    serving.join()
    client.delete(NODE, "reader-node")
    for pod in client.list_objects(POD, NS):
        client.demand("DELETE", POD.path(NS, pod["metadata"]["name"]), "clean", body={"gracePeriodSeconds": 0})


@pytest.fixture
def images(real_api: ApiServers, tmp_path: Path) -> Iterator[Reader]:
    clients = Clients(house_on(real_api, tmp_path))
    yield Reader(clients, SystemClock(), limits=Limits(20.0, 0.2))
    clients.close()


@pytest.fixture
def destination(client: ApiClient) -> Iterator[str]:
    """A destination with all that a mover can be given."""
    client.create(SECRET, {"metadata": {"name": "repo"}, "stringData": {"RESTIC_REPOSITORY": "/r", "RESTIC_PASSWORD": "p"}}, NS)
    restic = {
        "repository": "repo",
        "customCA": {"secretName": "store-ca", "key": "root.pem"},
        "moverSecurityContext": {"runAsUser": 568, "runAsGroup": 568, "fsGroup": 568},
        "moverVolumes": [{"mountPath": "nas", "volumeSource": {"secret": {"secretName": "x"}}}],
        "moverResources": {"limits": {"memory": "1Gi"}},
        "moverPodLabels": {"net": "store"},
    }
    client.create(REPLICATION_DESTINATION, {"metadata": {"name": "notes-dst"}, "spec": {"restic": restic}}, NS)
    yield "notes-dst"
    client.delete(REPLICATION_DESTINATION, "notes-dst", NS)
    client.delete(SECRET, "repo", NS)
