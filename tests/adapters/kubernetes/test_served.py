"""What an API server serves, asked of a real one: by version, as definitions come and go, and unknown where nobody answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.kubernetes.adapter import KubernetesCluster
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CRD
from adapters.secrets.resolver import Secrets
from engine.errors import TransientError
from engine.waiting import Clock, SystemClock
from house.declared.kinds import Kind, by_itself
from house.model import House
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

GROUP = "served.example.org"
NO_SECRETS = cast(Secrets, None)  # nothing of what is asked here resolves any


@pytest.fixture
def house(real_api: ApiServers, tmp_path: Path) -> House:
    return house_on(real_api, tmp_path)


@pytest.fixture
def client(house: House) -> Iterator[ApiClient]:
    clients = Clients(house)
    yield clients.main()
    clients.close()


@pytest.fixture
def cluster(house: House) -> Iterator[KubernetesCluster]:
    clients = Clients(house)
    yield KubernetesCluster(clients, house, clock(), NO_SECRETS)
    clients.close()


def clock() -> Clock:
    return SystemClock()


def a_definition(*versions: tuple[str, bool]) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": f"toys.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Toy", "plural": "toys", "singular": "toy"},
            "versions": [
                {"name": name, "served": served, "storage": at == 0, "schema": schema} for at, (name, served) in enumerate(versions)
            ],
        },
    }


def served_once(cluster: KubernetesCluster, so: Callable[[frozenset[Kind]], bool]) -> frozenset[Kind]:
    """What is served, once that is so: the API server tells of a definition a moment after it took it."""
    deadline = time.monotonic() + 90
    while not so(found := cluster.served()):
        assert time.monotonic() < deadline, sorted(one for one in found if one.group == GROUP)
        time.sleep(0.1)
    return found


def toys(kinds: frozenset[Kind]) -> set[Kind]:
    return {one for one in kinds if one.group == GROUP}


def test_what_is_served_is_told_by_version_and_follows_the_definitions(cluster: KubernetesCluster, client: ApiClient) -> None:
    before = cluster.served()
    assert {Kind("apps/v1", "Deployment"), Kind("batch/v1", "CronJob"), Kind("storage.k8s.io/v1", "StorageClass")} <= before
    assert not {one for one in before if one.name in ("PodSecurityPolicy", "Toy")}
    first, beta = Kind(f"{GROUP}/v1", "Toy"), Kind(f"{GROUP}/v1beta1", "Toy")
    client.create(CRD, a_definition(("v1", True), ("v1beta1", True), ("v1alpha1", False)))
    assert toys(served_once(cluster, lambda kinds: {first, beta} <= kinds)) == {first, beta}
    client.merge(CRD, f"toys.{GROUP}", a_definition(("v1", True), ("v1beta1", False), ("v1alpha1", False)))
    assert toys(served_once(cluster, lambda kinds: beta not in kinds)) == {first}
    assert client.delete(CRD, f"toys.{GROUP}")
    assert toys(served_once(cluster, lambda kinds: first not in kinds)) == set()


def test_what_kubernetes_is_said_to_have_by_itself_it_serves(cluster: KubernetesCluster) -> None:
    """Held against the list of our own groups: one that is not served would be missed by nobody."""
    served = cluster.served()
    there = {
        Kind("apps/v1", "StatefulSet"), Kind("networking.k8s.io/v1", "Ingress"), Kind("policy/v1", "PodDisruptionBudget"),
        Kind("rbac.authorization.k8s.io/v1", "ClusterRole"), Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
    }  # fmt: skip
    gone = {Kind("policy/v1beta1", "PodSecurityPolicy"), Kind("batch/v1beta1", "CronJob"), Kind("extensions/v1beta1", "Ingress")}
    assert {one for one in there | gone if by_itself(one, "v1.36.3")} == there
    assert {one for one in there | gone if one in served} == there


def test_it_is_unknown_where_nobody_answers(house: House, tmp_path: Path) -> None:
    state = tmp_path / "silent"
    state.mkdir()
    text = (house.state_dir / "kubeconfig").read_text()
    (state / "kubeconfig").write_text(re.sub(r":6443", ":1", text))
    clients = Clients(replace(house, state_dir=state))
    with pytest.raises(TransientError):
        KubernetesCluster(clients, house, clock(), NO_SECRETS).served()
    clients.close()
