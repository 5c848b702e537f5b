"""An API server that was rewound is as it was: by what it keeps, by what it serves, by what it refuses."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import ADMISSION_BINDING, ADMISSION_POLICY, CONFIG_MAP, CRD, NAMESPACE, Kind
from engine.errors import OurError
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.adapters.hold.objects import standing_crd
from tests.contract.apiserver import ApiServers
from tests.contract.rewinding import COMPACTED, STANDING, Etcd

pytestmark = pytest.mark.programs
TOY = Kind("toys.example.com", "v1", "toys", "Toy")


@pytest.fixture
def client(real_api: ApiServers, tmp_path: Path) -> Iterator[ApiClient]:
    clients = Clients(house_on(real_api, tmp_path))
    yield clients.main()
    clients.close()


def test_what_was_made_changed_and_deleted_is_as_it_was_and_nothing_is_refused_any_more(
    client: ApiClient, real_api: ApiServers
) -> None:
    before = client.get(NAMESPACE, "kube-public")
    client.create(NAMESPACE, {"metadata": {"name": "made"}})
    client.merge(NAMESPACE, "kube-public", {"metadata": {"labels": {"of": "a-test"}}})
    client.create(CRD, standing_crd(TOY))
    define(client, kinds=(TOY,))
    client.create(TOY, {"metadata": {"name": "ball"}}, "made")
    forbid_config_maps(client)
    while made(client, "late"):
        time.sleep(0.05)

    real_api.rewind()

    assert client.get(NAMESPACE, "made") is None
    assert client.list_if_served(TOY, "made") is None
    after = client.get(NAMESPACE, "kube-public")
    assert before is not None and after is not None
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert [policy["metadata"]["name"] for policy in client.list_objects(ADMISSION_POLICY)] == [STANDING]
    assert [binding["metadata"]["name"] for binding in client.list_objects(ADMISSION_BINDING)] == [STANDING]
    assert made(client, "free")


def test_where_the_servers_note_what_they_compacted_stays(real_api: ApiServers) -> None:
    etcd = Etcd(f"http://{real_api.addresses[0]}:2379")
    etcd.write({COMPACTED: base64.b64encode(b"1").decode()})
    real_api.rewind()
    assert COMPACTED in etcd.all()


def forbid_config_maps(client: ApiClient) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false"}]}
    client.create(ADMISSION_POLICY, {"metadata": {"name": "none"}, "spec": spec})
    client.create(ADMISSION_BINDING, {"metadata": {"name": "none"}, "spec": {"policyName": "none", "validationActions": ["Deny"]}})


def made(client: ApiClient, name: str) -> bool:
    """Whether a ConfigMap could be made."""
    try:
        client.create(CONFIG_MAP, {"metadata": {"name": name}}, "default")
    except OurError:
        return False
    client.delete(CONFIG_MAP, name, "default")
    return True
