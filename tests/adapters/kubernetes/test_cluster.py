"""The Cluster port on real API servers."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.adapter import KubernetesCluster
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import (
    CEPH_CLUSTER,
    CEPH_PARTS,
    CRD,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    SECRET,
    STATEFUL_SET,
    STORAGE_CLASS,
    Kind,
)
from adapters.kubernetes.results import StorageClass, Workload
from adapters.secrets.names import is_open
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from house.model import BootstrapSecret, FluxSource, House, SecretForm, SecretRef
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

KEY = "AGE-SECRET-KEY-1TESTTESTTEST"
AGE = BootstrapSecret("flux-system", "sops-age", (("age.agekey", SecretRef(("file:/house/age.key",))),))
DEPLOY = BootstrapSecret("flux-system", "deploy-key", (("deploy-key", SecretRef(("env:DEPLOY",))),), SecretForm.DEPLOY_KEY)


@dataclass
class FakeClock:
    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Values:
    """Resolves references out of a dictionary."""

    values: dict[str, str]

    def resolve(self, ref: SecretRef) -> Secret:
        return Secret(self.values[ref.sources[0]])

    def resolve_as(self, name: str, ref: SecretRef) -> Secret | str:
        return self.values[ref.sources[0]] if is_open(name) else self.resolve(ref)


@dataclass
class Desk:
    """What the tests work with."""

    cluster: KubernetesCluster
    clients: Clients
    house: House
    clock: FakeClock
    values: Values


@pytest.fixture
def desk(real_api: ApiServers, tmp_path: Path) -> Iterator[Desk]:
    flux = FluxSource("flux-system", "flux-system", "ssh://git@host/x", "main", "p", SecretRef(("env:DEPLOY",)))
    house = house_on(real_api, tmp_path, id=tmp_path.name.replace("_", "-").lower(), flux=flux)
    clients, clock, values = Clients(house), FakeClock(), Values({"file:/house/age.key": KEY})
    yield Desk(KubernetesCluster(clients, house, clock, values), clients, house, clock, values)
    clients.close()


def test_every_api_server_is_asked_at_its_own_address(desk: Desk, real_api: ApiServers) -> None:
    seen = desk.cluster.api_servers()
    assert [(s.address, s.answers, s.ready, s.version) for s in seen] == [
        (address, True, True, "v1.36.3") for address in real_api.addresses
    ]


def test_an_api_server_that_is_silent_is_told_and_does_not_hide_the_others(
    real_api: ApiServers, tmp_path: Path, desk: Desk
) -> None:
    silent = real_api.addresses[0].rsplit(".", 1)[0] + ".99"
    servers = ApiServers((real_api.addresses[0], silent), real_api.kubeconfig, real_api.ca)
    clients = Clients(house_on(servers, tmp_path))
    seen = KubernetesCluster(clients, desk.house, desk.clock, desk.values).api_servers()
    assert [(s.answers, s.ready) for s in seen] == [(True, True), (False, False)]
    assert "ConnectError" in seen[1].detail
    clients.close()


def test_another_clusters_kubeconfig_is_said_so(real_api: ApiServers, tmp_path: Path, desk: Desk) -> None:
    from lab.parts.plane.pki import authority

    house = house_on(real_api, tmp_path)
    (tmp_path / "other.crt").write_bytes(authority("other").certificate)
    text = (tmp_path / "kubeconfig").read_text()
    ca = text.split('certificate-authority: "')[1].split('"')[0]
    (tmp_path / "kubeconfig").write_text(text.replace(ca, str(tmp_path / "other.crt")))
    clients = Clients(house)
    with pytest.raises(PermanentError, match="does not show a certificate of this cluster's CA"):
        clients.main().list_objects(NODE)
    clients.close()


def test_nodes_say_what_their_kubelet_said(desk: Desk) -> None:
    client = desk.clients.main()
    for name, ready in (("a", "True"), ("b", "False"), ("c", "Unknown"), ("d", "")):
        labels = {"node-role.kubernetes.io/control-plane": ""} if name == "a" else {}
        client.create(NODE, {"metadata": {"name": name, "labels": labels}})
        conditions = [{"type": "Ready", "status": ready, "reason": "KubeletX", "message": "cni plugin not initialized"}]
        status: dict[str, Any] = {
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "10.0.0.1"}],
            "conditions": conditions if ready else [],
        }
        client.demand(
            "PATCH",
            NODE.path("", name, "status"),
            "set the node's status",
            body={"status": status},
            content_type="application/merge-patch+json",
        )
    nodes = {n.name: n for n in desk.cluster.nodes()}
    assert [nodes[n].ready for n in "abcd"] == [True, False, None, None]
    assert nodes["a"].control_plane
    assert not nodes["b"].control_plane
    assert nodes["b"].reason == "KubeletX: cni plugin not initialized"
    assert nodes["a"].address == "10.0.0.1"
    for name in "abcd":
        client.delete(NODE, name)


def test_a_namespace_is_made_once(desk: Desk) -> None:
    desk.cluster.create_namespace("made-once")
    desk.cluster.create_namespace("made-once")
    assert "made-once" in desk.cluster.namespaces()
    # Its controller is not running, so what is deleted here stays on its way out.
    desk.clients.main().delete(NAMESPACE, "made-once")
    assert "made-once" not in desk.cluster.namespaces()
    with pytest.raises(TransientError, match="being deleted"):
        desk.cluster.create_namespace("made-once")


def test_the_age_key_is_put_under_the_name_that_flux_takes(desk: Desk) -> None:
    desk.cluster.create_namespace("flux-system")
    assert desk.cluster.secret_matches(AGE) is None
    desk.cluster.put_secret(AGE)
    assert desk.cluster.secret_matches(AGE) is True
    found = desk.clients.main().get(SECRET, "sops-age", "flux-system")
    assert found is not None
    assert base64.b64decode(found["data"]["age.agekey"]).decode() == KEY
    assert found["metadata"]["labels"]["reconcile.fluxcd.io/watch"] == "Enabled"

    desk.clients.main().merge(SECRET, "sops-age", {"data": {"age.agekey": "b3RoZXI=", "mine": "eA=="}}, "flux-system")
    assert desk.cluster.secret_matches(AGE) is False
    desk.cluster.put_secret(AGE)
    assert desk.cluster.secret_matches(AGE) is True
    found = desk.clients.main().get(SECRET, "sops-age", "flux-system")
    assert found is not None
    assert found["data"]["mine"] == "eA==", "another's key stays"


def test_a_deploy_key_for_ssh_needs_known_hosts(desk: Desk) -> None:
    desk.cluster.create_namespace("flux-system")
    pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
    desk.values.values["env:DEPLOY"] = pem
    with pytest.raises(PermanentError, match="known_hosts"):
        desk.cluster.put_secret(DEPLOY)
    body = "\n".join("  " + line for line in pem.splitlines())
    desk.values.values["env:DEPLOY"] = f"identity: |\n{body}\nknown_hosts: host ssh-ed25519 AAAA\n"
    desk.cluster.put_secret(DEPLOY)
    found = desk.clients.main().get(SECRET, "deploy-key", "flux-system")
    assert found is not None
    assert base64.b64decode(found["data"]["identity"]).decode() == pem
    assert base64.b64decode(found["data"]["known_hosts"]).decode() == "host ssh-ed25519 AAAA"


def test_a_secret_of_the_settings_goes_where_they_say_with_its_type_and_every_key(desk: Desk) -> None:
    desk.cluster.create_namespace("external-secrets")
    desk.values.values |= {"env:TOKEN": "one", "env:CREDENTIALS": "two"}
    keys = (("token", SecretRef(("env:TOKEN",))), ("1password-credentials.json", SecretRef(("env:CREDENTIALS",))))
    secret = BootstrapSecret("external-secrets", "onepassword", keys, type="example.net/login")
    assert desk.cluster.secret_matches(secret) is None
    desk.cluster.put_secret(secret)
    assert desk.cluster.secret_matches(secret) is True
    found = desk.clients.main().get(SECRET, "onepassword", "external-secrets")
    assert found is not None
    assert found["type"] == "example.net/login"
    assert {key: base64.b64decode(value).decode() for key, value in found["data"].items()} == {
        "token": "one", "1password-credentials.json": "two",
    }  # fmt: skip
    assert "reconcile.fluxcd.io/watch" not in found["metadata"]["labels"], "Flux reads none of that namespace"
    desk.values.values["env:CREDENTIALS"] = "another-secret"
    assert desk.cluster.secret_matches(secret) is False


def test_the_lease_keeps_a_second_machine_out_until_it_is_not_renewed_any_more(desk: Desk) -> None:
    cluster = desk.cluster
    assert cluster.lease() is None
    first = cluster.take_lease("run-1", 60)
    assert first.holder == "run-1"
    assert cluster.take_lease("run-2", 60) == first
    desk.clock.sleep(3600)
    assert cluster.take_lease("run-2", 60) == first, "whatever a clock says"
    renewed = cluster.take_lease("run-1", 60)
    assert renewed.holder == "run-1" and renewed.renewal != first.renewal
    assert renewed.since == first.since == pytest.approx(desk.clock.now() - 3600, abs=1), "it has it since then"
    assert cluster.take_lease("run-2", 60, first.renewal) == renewed, "it was renewed meanwhile"
    assert cluster.take_lease("run-2", 60, renewed.renewal).holder == "run-2", "watched, and not renewed"
    cluster.drop_lease("run-1")
    held = cluster.lease()
    assert held is not None
    assert held.holder == "run-2", "only its holder drops it"
    cluster.drop_lease("run-2")
    assert cluster.lease() is None


def test_workloads_are_found_by_the_claim_they_mount(desk: Desk) -> None:
    desk.cluster.create_namespace("work")
    client = desk.clients.main()
    selector = {"selector": {"matchLabels": {"a": "b"}}}
    mounts = [{"name": "data", "persistentVolumeClaim": {"claimName": "notes"}}]

    def template(volumes: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i"}], "volumes": volumes},
        }

    client.create(
        DEPLOYMENT,
        {"metadata": {"name": "notes"}, "spec": selector | {"replicas": 2, "template": template(mounts)}},
        "work",
    )
    client.create(DEPLOYMENT, {"metadata": {"name": "other"}, "spec": selector | {"template": template([])}}, "work")
    claims = [
        {
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
        }
    ]
    spec = selector | {"serviceName": "db", "replicas": 3, "template": template([]), "volumeClaimTemplates": claims}
    client.create(STATEFUL_SET, {"metadata": {"name": "db"}, "spec": spec}, "work")

    assert desk.cluster.workloads("work", "notes") == (Workload("Deployment", "work", "notes", 2, 0),)
    assert desk.cluster.workloads("work", "data-db-2") == (Workload("StatefulSet", "work", "db", 3, 0),)
    assert desk.cluster.workloads("work", "data-db-x") == ()


def defined(desk: Desk, kind: Kind) -> None:
    """A definition of our own for a kind of Rook's: its group and names, and any content."""
    open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"plural": kind.plural, "kind": kind.name, "singular": kind.name.lower()}
    version = {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": open_schema}}
    spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]}
    desk.clients.main().create(CRD, {"metadata": {"name": f"{kind.plural}.{kind.group}"}, "spec": spec})
    deadline = time.monotonic() + 90
    while desk.clients.main().ask("GET", kind.path(), "wait", params={"limit": "1"}).code != 200:
        assert time.monotonic() < deadline, kind
        time.sleep(0.05)


def test_rooks_clusters_are_read_with_their_parts(desk: Desk) -> None:
    assert desk.cluster.ceph_clusters() == ()
    for kind in (CEPH_CLUSTER, CEPH_PARTS[0]):
        defined(desk, kind)
    assert desk.cluster.ceph_clusters() == ()
    client = desk.clients.main()
    client.create(NAMESPACE, {"metadata": {"name": "rook-ceph"}})
    told = {"health": "HEALTH_OK", "lastChecked": "2027-01-15T08:00:00Z"}
    client.create(CEPH_CLUSTER, {"metadata": {"name": "rook-ceph"}, "status": {"phase": "Ready", "ceph": told}}, "rook-ceph")
    client.create(CEPH_PARTS[0], {"metadata": {"name": "ceph-block"}, "status": {"phase": "Failure"}}, "rook-ceph")
    (found,) = desk.cluster.ceph_clusters()
    assert (found.namespace, found.phase, found.checks, found.last_checked) == ("rook-ceph", "Ready", (), 1_800_000_000.0)
    assert [(part.kind, part.name, part.phase) for part in found.parts] == [("CephBlockPool", "ceph-block", "Failure")]


def test_storage_classes_tell_who_makes_their_volumes(desk: Desk) -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    made = {"metadata": {"name": "ceph-block", "annotations": default}, "provisioner": "rook-ceph.rbd.csi.ceph.com",
            "parameters": {"pool": "ceph-block", "clusterID": "rook-ceph"}}  # fmt: skip
    desk.clients.main().create(STORAGE_CLASS, made)
    parameters = (("clusterID", "rook-ceph"), ("pool", "ceph-block"))
    assert desk.cluster.storage_classes() == (StorageClass("ceph-block", "rook-ceph.rbd.csi.ceph.com", parameters, default=True),)
