"""The one exception of a drill's fence: to where a mover's store is, and to nothing else."""

from __future__ import annotations

import ipaddress
from typing import Any, cast

import pytest

from adapters.drills.fence import way_to_store
from adapters.drills.openings import Opening, Resolver, addresses_of, opening_to
from adapters.drills.store import StoreAt, beside, store_at
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import Kind
from engine.errors import PermanentError, TransientError


@pytest.mark.parametrize(
    ("repository", "at"),
    [
        ("s3:https://store.lan:9000/bucket/notes", StoreAt("store.lan", 9000)),
        ("s3:http://10.0.0.9/bucket", StoreAt("10.0.0.9", 80)),
        ("s3:s3.eu-1.example.com/bucket", StoreAt("s3.eu-1.example.com", 443)),
        ("s3:minio.storage.svc.cluster.local:9000/bucket", StoreAt("minio.storage.svc.cluster.local", 9000)),
        ("s3:https://[fd00::9]:9000/b", StoreAt("fd00::9", 9000)),
        ("rest:https://me:word@backup.lan:8000/notes/", StoreAt("backup.lan", 8000)),
        ("rest:http://backup.lan/notes", StoreAt("backup.lan", 80)),
        ("sftp:me@nas.lan:/backups/notes", StoreAt("nas.lan", 22)),
        ("sftp:nas.lan:backups", StoreAt("nas.lan", 22)),
        ("sftp://me@nas.lan:2222//backups", StoreAt("nas.lan", 2222)),
        ("sftp:me@[fd00::9]:/backups", StoreAt("fd00::9", 22)),
        ("b2:bucket:notes", StoreAt("", 443)),
        ("gs:bucket:/", StoreAt("", 443)),
        ("azure:container:/", StoreAt("", 443)),
        ("rclone:remote:notes", StoreAt("", 0)),
        ("swift:container:/", StoreAt("", 0)),
        ("/mnt/nas/notes", None),
        ("local:/mnt/nas", None),
        ("", None),
    ],
)
def test_where_a_store_is(repository: str, at: StoreAt | None) -> None:
    assert store_at({"RESTIC_REPOSITORY": repository}) == at


def test_behind_a_proxy_the_proxy_is_what_a_mover_goes_to() -> None:
    there = {"RESTIC_REPOSITORY": "s3:https://s3.example.com/b"}
    assert store_at(there | {"HTTPS_PROXY": "http://proxy.lan:3128"}) == StoreAt("proxy.lan", 3128)
    assert store_at(there | {"https_proxy": "proxy.lan:3128"}) == StoreAt("proxy.lan", 3128)
    assert store_at({"RESTIC_REPOSITORY": "/mnt/nas", "HTTPS_PROXY": "http://proxy.lan:3128"}) is None
    assert store_at({"RESTIC_REPOSITORY": "sftp:nas.lan:/b", "HTTPS_PROXY": "http://proxy.lan:3128"}) == StoreAt("nas.lan", 22)


@pytest.mark.parametrize(
    ("repository", "canary"),
    [
        ("s3:https://store.lan:9000/bucket/notes", "s3:https://store.lan:9000/bucket/blackstart-canary"),
        ("s3:https://store.lan:9000/bucket/apps/notes/", "s3:https://store.lan:9000/bucket/apps/blackstart-canary"),
        ("s3:https://store.lan:9000/bucket", "s3:https://store.lan:9000/bucket/blackstart-canary"),
        ("s3:s3.example.com/bucket", "s3:s3.example.com/bucket/blackstart-canary"),
        ("rest:https://backup.lan:8000/notes/", "rest:https://backup.lan:8000/blackstart-canary"),
        ("rest:https://backup.lan:8000/", "rest:https://backup.lan:8000/blackstart-canary"),
        ("sftp:me@nas.lan:/backups/notes", "sftp:me@nas.lan:/backups/blackstart-canary"),
        ("b2:bucket:notes", "b2:bucket:blackstart-canary"),
        ("b2:bucket:apps/notes", "b2:bucket:apps/blackstart-canary"),
        ("/mnt/nas/notes", "/mnt/nas/blackstart-canary"),
    ],
)
def test_the_canary_has_a_repository_of_its_own_in_the_same_store(repository: str, canary: str) -> None:
    assert beside(repository) == canary


def test_where_the_whole_mount_is_the_repository_the_canary_lies_within_it() -> None:
    """Beside it there is no volume."""
    assert beside("/mnt/nas/", ("/mnt/nas",)) == "/mnt/nas/blackstart-canary"
    assert beside("local:/mnt/nas", ("/mnt/nas/",)) == "local:/mnt/nas/blackstart-canary"
    assert beside("/mnt/nas/notes", ("/mnt/nas",)) == "/mnt/nas/blackstart-canary"


@pytest.mark.parametrize("address", ["s3:http://[oops/bucket", "rest:https://me:a-word@[::1/x", "sftp://[oops/x"])
def test_an_address_that_is_none_is_told_without_its_words(address: str) -> None:
    for ask in (lambda: store_at({"RESTIC_REPOSITORY": address}), lambda: beside(address)):
        with pytest.raises(PermanentError, match="is no URL") as refused:
            ask()
        assert "oops" not in str(refused.value) and "a-word" not in str(refused.value)
    with pytest.raises(PermanentError, match="is no URL"):
        store_at({"RESTIC_REPOSITORY": "s3:https://store.lan/b", "HTTPS_PROXY": "http://[oops"})


@pytest.mark.parametrize("address", [
    "s3:", "s3:https:///bucket", "rest:", "rest:me:a-word@backup.lan:8000/x", "sftp:me@nas.lan", "sftp:///x",
    "s3:https://store.lan:port/x", "rest:https://backup.lan:99999/x",
])  # fmt: skip
def test_an_address_that_names_no_host_or_port_opens_no_way_to_the_whole_internet(address: str) -> None:
    with pytest.raises(PermanentError, match=r"names no host|is no URL") as refused:
        store_at({"RESTIC_REPOSITORY": address})
    assert "a-word" not in str(refused.value)


class Cluster:
    """Services and endpoints, as an API server has them."""

    server = "https://10.0.0.10:6443"

    def __init__(self, services: dict[tuple[str, str], Any] | None = None, slices: dict[str, list[Any]] | None = None) -> None:
        self.services, self.slices = services or {}, slices or {}

    def get(self, kind: Kind, name: str, namespace: str = "") -> Any:
        assert kind.name == "Service"
        spec = self.services.get((namespace, name))
        return None if spec is None else {"metadata": {"name": name, "namespace": namespace}, "spec": spec}

    def list_objects(self, kind: Kind, namespace: str = "", *, labels: str = "") -> Any:
        assert kind.name == "EndpointSlice"
        return self.slices.get(f"{namespace}/{labels.partition('=')[2]}", [])


def resolver(**known: str) -> Resolver:
    def resolve(host: str) -> tuple[str, ...]:
        if host.replace(".", "_") not in known:
            raise TransientError(f"{host} cannot be resolved")
        return tuple(known[host.replace(".", "_")].split())

    return resolve


def opened(cluster: Cluster, store: StoreAt | None, **known: str) -> Opening:
    return opening_to(cast("ApiClient", cluster), store, "apps", resolver(**known))


def reaches(opening: Opening, address: str, port: int) -> bool:
    """Whether a network plugin would let it through, by blocks alone."""
    rule, ip = opening.rule, ipaddress.ip_address(address)
    if rule is None:
        return False
    blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
    within = [b for b in blocks if ip in ipaddress.ip_network(b["cidr"])]
    inside = any(all(ip not in ipaddress.ip_network(one) for one in b.get("except", [])) for b in within)
    return inside and any(p.get("port", port) == port for p in rule["ports"])


def test_a_private_store_is_let_through_by_its_address_and_port_alone() -> None:
    for store in (StoreAt("10.0.0.9", 9000), StoreAt("nas.lan", 9000)):
        opening = opened(Cluster(), store, nas_lan="10.0.0.9")
        assert opening.addresses == ("10.0.0.9:9000",)
        assert reaches(opening, "10.0.0.9", 9000)
        for address, port in (("10.0.0.9", 443), ("10.0.0.8", 9000), ("10.0.0.10", 6443), ("1.1.1.1", 9000), ("fd00::1", 9000)):
            assert not reaches(opening, address, port), (address, port)


def test_a_public_store_opens_nothing_that_is_private() -> None:
    """Its addresses change by the minute."""
    opening = opened(Cluster(), StoreAt("s3.example.com", 443), s3_example_com="52.1.2.3 2600:1f00::1")
    assert opening.addresses == ("52.1.2.3:443", "[2600:1f00::1]:443")
    assert reaches(opening, "52.9.9.9", 443)
    assert reaches(opening, "2600:1f00::2", 443)
    private = "10.0.0.10 192.168.1.1 172.16.0.1 10.96.0.1 169.254.169.254 127.0.0.1 100.64.0.1"
    for address in f"{private} fd00::1 fe80::1 fec0::1 64:ff9b:1::a00:a".split():
        assert not reaches(opening, address, 443), address
    assert not reaches(opening, "52.1.2.3", 80)


def test_a_name_with_one_private_address_is_no_public_store() -> None:
    opening = opened(Cluster(), StoreAt("s3.lan", 443), s3_lan="10.0.0.9 52.1.2.3")
    assert reaches(opening, "10.0.0.9", 443)
    assert not reaches(opening, "52.9.9.9", 443)


def test_a_name_that_nobody_resolves_opens_nothing() -> None:
    with pytest.raises(TransientError):
        opened(Cluster(), StoreAt("gone.lan", 443))


def test_a_name_without_an_address_is_no_public_store() -> None:
    with pytest.raises(TransientError, match="has no address"):
        opened(Cluster(), StoreAt("empty.lan", 443), empty_lan="")


MINIO = {"clusterIP": "10.96.0.50", "selector": {"app": "minio"}, "ports": [{"port": 9000, "targetPort": "api"}]}


@pytest.mark.parametrize("host", ["minio.storage.svc.cluster.local", "minio.storage.svc", "minio.storage"])
def test_a_store_in_the_cluster_is_let_through_by_its_pods(host: str) -> None:
    opening = opened(Cluster({("storage", "minio"): MINIO}), StoreAt(host, 9000))
    space = {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}
    assert opening.rule == {
        "to": [{"namespaceSelector": space, "podSelector": {"matchLabels": {"app": "minio"}}}],
        "ports": [{"protocol": "TCP", "port": "api"}],
    }
    assert opening.addresses == ("10.96.0.50:9000",)


def test_a_service_without_pods_is_let_through_by_its_endpoints() -> None:
    slices = {"storage/nas": [{"endpoints": [{"addresses": ["10.0.0.9"]}], "ports": [{"port": 9000}]}]}
    given = {("storage", "nas"): {"clusterIP": "10.96.0.51", "ports": [{"port": 443, "targetPort": 9000}]}}
    opening = opened(Cluster(given, slices), StoreAt("nas.storage.svc", 443))
    assert reaches(opening, "10.0.0.9", 9000)
    assert not reaches(opening, "10.0.0.9", 443)


def test_a_store_on_a_volume_needs_no_way_out() -> None:
    opening = opened(Cluster(), None)
    assert (opening.rule, opening.addresses) == (None, ())
    assert way_to_store(opening)["spec"]["egress"] == []


def test_each_store_is_for_the_pods_of_its_own_movers() -> None:
    one, two = opened(Cluster(), StoreAt("10.0.0.9", 9000)), opened(Cluster(), StoreAt("10.0.0.8", 9000))
    chosen = [way_to_store(each)["spec"]["podSelector"]["matchLabels"]["blackstart/store"] for each in (one, two)]
    assert chosen[0] != chosen[1]


def test_the_api_is_asked_for_at_each_of_its_addresses() -> None:
    """First where it has just answered us: a silence there is the fence's."""
    ends = [{"endpoints": [{"addresses": ["10.0.0.12"]}, {"addresses": ["10.0.0.11"]}], "ports": [{"port": 6443}]}]
    cluster = Cluster({("default", "kubernetes"): {"clusterIP": "10.96.0.1"}}, {"default/kubernetes": ends})
    found = ("10.0.0.10:6443", "10.96.0.1:443", "10.0.0.11:6443", "10.0.0.12:6443")
    assert addresses_of(cast("ApiClient", cluster)) == found
    cluster.server = "https://127.0.0.1:6443"
    assert addresses_of(cast("ApiClient", cluster)) == found[1:]
