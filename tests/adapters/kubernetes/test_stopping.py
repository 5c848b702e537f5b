"""What mounts a claim, and how it is stopped and goes on, on a real API server: every kind, and what nothing would make again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.kubernetes.adapter import KubernetesCluster
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CRON_JOB, DAEMON_SET, JOB, NAMESPACE, POD, REPLICA_SET
from adapters.kubernetes.objects import dig
from adapters.kubernetes.results import Workload
from engine.errors import PermanentError
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

NS = "stopping"
SELECTOR = {"selector": {"matchLabels": {"a": "b"}}}


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    made.main().create(NAMESPACE, {"metadata": {"name": NS}})
    yield made
    made.close()


@pytest.fixture
def api(clients: Clients) -> ApiClient:
    return clients.main()


@pytest.fixture
def cluster(clients: Clients, real_api: ApiServers, tmp_path: Any) -> KubernetesCluster:
    return KubernetesCluster(clients, house_on(real_api, tmp_path), SystemClock(), None)  # type: ignore[arg-type]  # asks for none


def pod_spec(claim: str) -> dict[str, Any]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, "restartPolicy": "Never"}


def template(claim: str, restart: str = "Always") -> dict[str, Any]:
    return {"template": {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(claim) | {"restartPolicy": restart}}}


def spec_of(api: ApiClient, kind: Any, name: str) -> dict[str, Any]:
    found = api.get(kind, name, NS)
    assert found is not None
    return dict(found["spec"])


def only(cluster: KubernetesCluster, claim: str) -> Workload:
    (found,) = cluster.workloads(NS, claim)
    return found


@pytest.mark.parametrize("before", [False, True])
def test_a_cron_job_is_suspended_and_is_as_it_was_before_afterwards(
    api: ApiClient, cluster: KubernetesCluster, before: bool
) -> None:
    name = f"nightly-{before}".lower()
    job = {"spec": template(name, "Never")}
    api.create(CRON_JOB, {"metadata": {"name": name}, "spec": {"schedule": "0 3 * * *", "suspend": before, "jobTemplate": job}}, NS)
    found = only(cluster, name)
    assert (found.kind, found.wanted, found.resting) == ("CronJob", 0, None)
    cluster.rest(found)
    assert spec_of(api, CRON_JOB, name)["suspend"] is True
    assert only(cluster, name).resting is not None
    cluster.wake(only(cluster, name))
    assert spec_of(api, CRON_JOB, name)["suspend"] is before
    assert only(cluster, name).resting is None


def test_a_job_at_work_is_suspended_and_one_that_has_ended_is_nobody(api: ApiClient, cluster: KubernetesCluster) -> None:
    api.create(JOB, {"metadata": {"name": "import"}, "spec": template("imports", "Never")}, NS)
    cluster.rest(only(cluster, "imports"))
    assert spec_of(api, JOB, "import")["suspend"] is True
    cluster.wake(only(cluster, "imports"))
    assert spec_of(api, JOB, "import")["suspend"] is False
    now = "2026-01-01T00:00:00Z"
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("FailureTarget", "Failed")]
    api.demand(
        "PATCH", JOB.path(NS, "import", "status"), "say", content_type="application/merge-patch+json",
        body={"status": {"startTime": now, "conditions": conditions}},
    )  # fmt: skip
    assert cluster.workloads(NS, "imports") == ()


def test_movers_and_readers_are_no_part_of_the_application(api: ApiClient, cluster: KubernetesCluster) -> None:
    movers, readers = {"app.kubernetes.io/created-by": "volsync"}, {"app.kubernetes.io/managed-by": "blackstart"}
    for name, label in (("volsync-src-x", movers), ("ours", readers)):
        api.create(JOB, {"metadata": {"name": name, "labels": label}, "spec": template("moved", "Never")}, NS)
        pod = {"metadata": {"name": f"{name}-pod", "labels": label}, "spec": pod_spec("moved")}
        api.create(POD, pod, NS)
    assert cluster.workloads(NS, "moved") == ()


def test_a_daemon_set_finds_no_node_until_it_goes_on(api: ApiClient, cluster: KubernetesCluster) -> None:
    api.create(DAEMON_SET, {"metadata": {"name": "agent"}, "spec": SELECTOR | template("agents")}, NS)
    cluster.rest(only(cluster, "agents"))
    assert dig(spec_of(api, DAEMON_SET, "agent"), "template", "spec", "nodeSelector")
    assert only(cluster, "agents").resting is not None
    cluster.wake(only(cluster, "agents"))
    assert not dig(spec_of(api, DAEMON_SET, "agent"), "template", "spec", "nodeSelector")


def test_a_replica_set_of_nobody_is_scaled_and_a_deployment_s_is_the_deployment_s(
    api: ApiClient, cluster: KubernetesCluster
) -> None:
    api.create(REPLICA_SET, {"metadata": {"name": "own"}, "spec": SELECTOR | {"replicas": 2} | template("sets")}, NS)
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "1", "controller": True}
    api.create(REPLICA_SET, {"metadata": {"name": "of-d", "ownerReferences": [owner]}, "spec": SELECTOR | template("sets")}, NS)
    cluster.rest(only(cluster, "sets"))
    assert spec_of(api, REPLICA_SET, "own")["replicas"] == 0
    cluster.wake(only(cluster, "sets"))
    assert spec_of(api, REPLICA_SET, "own")["replicas"] == 2


def test_a_bare_pod_goes_only_where_flux_makes_it_again(api: ApiClient, cluster: KubernetesCluster) -> None:
    labels = {"kustomize.toolkit.fluxcd.io/name": "notes"}
    api.create(POD, {"metadata": {"name": "of-flux", "labels": labels}, "spec": pod_spec("bare")}, NS)
    assert only(cluster, "bare").kind == "Pod"
    cluster.rest(only(cluster, "bare"))
    api.create(POD, {"metadata": {"name": "by-hand"}, "spec": pod_spec("by-hand")}, NS)
    with pytest.raises(PermanentError, match="nothing would make it again"):
        cluster.rest(only(cluster, "by-hand"))
    assert api.get(POD, "by-hand", NS) is not None


def test_what_something_unknown_runs_is_seen_and_refused_by_its_owner(api: ApiClient, cluster: KubernetesCluster) -> None:
    owner = {"apiVersion": "apps.kruise.io/v1", "kind": "CloneSet", "name": "web", "uid": "1", "controller": True}
    api.create(POD, {"metadata": {"name": "web-0", "ownerReferences": [owner]}, "spec": pod_spec("web")}, NS)
    found = only(cluster, "web")
    assert (found.kind, found.name) == ("CloneSet", "web")
    with pytest.raises(PermanentError, match="CloneSet stopping/web cannot be stopped from here"):
        cluster.rest(found)
