"""The Flux port on real API servers with Flux's real definitions; the controllers are played by writing status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.flux.adapter import REQUESTED, RESET, KubernetesFlux, commit_of
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, NAMESPACE, Kind
from engine.waiting import SystemClock
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.builders import a_house
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs
NS = "flux-system"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def clients(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Flux is not installed at first, and its graph is the whole cluster's."""
    made = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def flux(clients: Clients) -> KubernetesFlux:
    found = KubernetesFlux(clients, a_house(), SystemClock())
    state = found.state()
    assert not state.installed
    assert not state.source.present
    assert "does not serve" in state.source.reason
    client = clients.main()
    define(
        client,
        "source-controller",
        "kustomize-controller",
        "helm-controller",
        kinds=(GIT_REPOSITORY, KUSTOMIZATION, HELM_RELEASE),
    )
    client.create(NAMESPACE, {"metadata": {"name": NS}})
    assert found.state().installed
    assert found.state().source.reason == "not there"
    return found


@pytest.fixture
def client(clients: Clients, flux: KubernetesFlux) -> Iterator[ApiClient]:
    made = clients.main()
    yield made
    for kind in (GIT_REPOSITORY, KUSTOMIZATION, HELM_RELEASE):
        for obj in made.list_objects(kind, NS):
            made.delete(kind, obj["metadata"]["name"], NS)


def put(client: ApiClient, kind: Kind, name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> None:
    client.apply(kind, {"metadata": {"name": name, "namespace": NS}, "spec": spec}, force=True)
    if status is not None:
        client.demand(
            "PATCH",
            kind.path(NS, name, "status"),
            "status",
            body={"status": status},
            content_type="application/merge-patch+json",
        )


def said(kind: str, status: str, reason: str, message: str = "", generation: int = 1) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def kustomization(**more: Any) -> dict[str, Any]:
    return {"interval": "1h", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "flux-system"}} | more


def test_source_keeps_its_commit_while_it_fails_and_hides_passwords(flux: KubernetesFlux, client: ApiClient) -> None:
    artifact = {
        "revision": f"main@sha1:{COMMIT}",
        "path": "p",
        "url": "http://x",
        "digest": "sha256:" + "0" * 64,
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }
    spec = {"interval": "1h", "url": "https://git.example/x.git", "ref": {"branch": "main"}}
    message = "failed to clone https://me:hunter2pass@git.example/x.git: status code: 503"
    put(
        client,
        GIT_REPOSITORY,
        "flux-system",
        spec,
        {"artifact": artifact, "conditions": [said("Ready", "True", "Succeeded")]},
    )
    source = flux.state().source
    assert (source.present, source.ready, source.commit) == (True, True, COMMIT)
    put(
        client,
        GIT_REPOSITORY,
        "flux-system",
        spec,
        {"conditions": [said("Ready", "False", "GitOperationFailed", message)]},
    )
    source = flux.state().source
    assert (source.ready, source.commit) == (False, COMMIT)
    assert "status code: 503" in source.reason
    assert "hunter2pass" not in source.reason
    assert not source.suspended
    put(client, GIT_REPOSITORY, "flux-system", spec | {"suspend": True})
    assert flux.state().source.suspended


def test_kustomizations_are_told_with_what_they_wait_for(flux: KubernetesFlux, client: ApiClient) -> None:
    good = {
        "conditions": [said("Ready", "True", "ReconciliationSucceeded")],
        "lastAppliedRevision": f"refs/heads/main@sha1:{COMMIT}",
    }
    put(client, KUSTOMIZATION, "a", kustomization(), good)
    waits = {"conditions": [said("Ready", "False", "DependencyNotReady", "dependency 'x/b' is not ready")]}
    put(
        client,
        KUSTOMIZATION,
        "b",
        kustomization(dependsOn=[{"name": "a"}, {"name": "b", "namespace": "x"}], suspend=True),
        waits,
    )
    a, b = flux.state().kustomizations
    assert (a.key, a.ready, a.commit, a.suspended) == ("flux-system/a", True, COMMIT, False)
    assert (b.ready, b.suspended, b.reason) == (False, True, "DependencyNotReady")
    assert b.depends_on == ("flux-system/a", "x/b")


def test_ready_of_an_older_spec_is_not_ready(flux: KubernetesFlux, client: ApiClient) -> None:
    put(client, KUSTOMIZATION, "a", kustomization(), {"conditions": [said("Ready", "True", "ReconciliationSucceeded")]})
    assert flux.state().kustomizations[0].ready
    put(client, KUSTOMIZATION, "a", kustomization(interval="2h"))
    assert not flux.state().kustomizations[0].ready


def test_a_failing_one_that_progresses_is_told_by_its_last_outcome(flux: KubernetesFlux, client: ApiClient) -> None:
    history = {
        "digest": "sha256:" + "0" * 64,
        "firstReconciled": "2026-01-01T00:00:00Z",
        "lastReconciled": "2026-01-01T00:00:00Z",
        "lastReconciledDuration": "30s",
        "lastReconciledStatus": "HealthCheckFailed",
        "totalReconciliations": 3,
    }
    conditions = [
        said("Ready", "Unknown", "Progressing", "Running health checks"),
        said("Reconciling", "True", "Progressing"),
    ]
    put(client, KUSTOMIZATION, "a", kustomization(), {"conditions": conditions, "history": [history]})
    (a,) = flux.state().kustomizations
    assert (a.reason, a.reconciling, a.ready) == ("HealthCheckFailed", True, False)
    assert a.message == "last time it ended HealthCheckFailed; now: Running health checks"


class Moments(SystemClock):
    """Time in which something happens: each sleep is counted, and the one of this number does `then`."""

    def __init__(self, number: int = 0, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.number, self.then, self.slept = number, then, 0

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        if self.slept == self.number:
            self.then()


GOOD = said("Ready", "True", "ReconciliationSucceeded")
LOOKS = said("Ready", "Unknown", "Progressing", "Reconciliation in progress")
BAD = said("Ready", "False", "BuildFailed", "cannot get Secret sops-age")


def looked_at(client: ApiClient, commit: str = COMMIT, **more: Any) -> None:
    """Flux looks again at what it had applied: its own words for that, at each interval."""
    artifact = {
        "revision": f"main@sha1:{COMMIT}", "path": "p", "url": "http://x", "digest": "sha256:" + "0" * 64,
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    source = {"interval": "1h", "url": "https://git.example/x.git", "ref": {"branch": "main"}}
    put(client, GIT_REPOSITORY, "flux-system", source, {"artifact": artifact, "conditions": [said("Ready", "True", "Succeeded")]})
    status = {"conditions": [LOOKS, said("Reconciling", "True", "Progressing")], "lastAppliedRevision": f"main@sha1:{commit}"}
    put(client, KUSTOMIZATION, "a", kustomization(**more), status)


@pytest.mark.parametrize(("ends", "reason"), [(GOOD, "ReconciliationSucceeded"), (BAD, "BuildFailed")], ids=["well", "badly"])
def test_the_end_of_fluxs_own_look_is_waited_for(flux: KubernetesFlux, clients: Clients, client: ApiClient,
                                                 ends: dict[str, Any], reason: str) -> None:  # fmt: skip
    """A verify that met a Kustomization in the seconds of its interval had called the house broken."""
    looked_at(client)
    clock = Moments(3, lambda: put(client, KUSTOMIZATION, "a", kustomization(), {"conditions": [ends]}))
    (a,) = KubernetesFlux(clients, a_house(), clock).state().kustomizations
    assert (a.ready, a.reason, clock.slept) == (ends is GOOD, reason, 3)


def test_one_that_does_not_come_to_an_end_is_told_as_it_is(flux: KubernetesFlux, clients: Clients, client: ApiClient) -> None:
    looked_at(client)
    clock = Moments()
    (a,) = KubernetesFlux(clients, a_house(), clock).state().kustomizations
    assert (a.ready, a.reason) == (False, "Progressing") and 0 < clock.slept <= 20


@pytest.mark.parametrize(("commit", "more"), [("f" * 40, {}), (COMMIT, {"suspend": True})], ids=["another commit", "suspended"])
def test_what_flux_has_yet_to_apply_is_not_waited_for(flux: KubernetesFlux, clients: Clients, client: ApiClient, commit: str,
                                                      more: dict[str, Any]) -> None:  # fmt: skip
    looked_at(client, commit, **more)
    clock = Moments()
    KubernetesFlux(clients, a_house(), clock).state()
    assert clock.slept == 0


def test_only_releases_that_are_stuck_are_told(flux: KubernetesFlux, client: ApiClient) -> None:
    chart = {"chart": {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "r"}}}, "interval": "1h"}
    stalled = [said("Ready", "False", "InstallFailed", "boom"), said("Stalled", "True", "RetriesExceeded")]
    put(client, HELM_RELEASE, "bad", chart, {"conditions": stalled})
    put(client, HELM_RELEASE, "good", chart, {"conditions": [said("Ready", "True", "InstallSucceeded")]})
    put(client, HELM_RELEASE, "off", chart | {"suspend": True})
    (bad,) = flux.state().stuck_releases
    assert (bad.name, bad.reason, bad.stalled, bad.message) == ("bad", "InstallFailed", True, "boom")


def test_request_and_suspend(flux: KubernetesFlux, client: ApiClient) -> None:
    put(client, KUSTOMIZATION, "a", kustomization())
    flux.request("Kustomization", NS, "a")
    found = client.get(KUSTOMIZATION, "a", NS) or {}
    assert REQUESTED in found["metadata"]["annotations"]
    assert RESET not in found["metadata"]["annotations"]
    flux.request("Kustomization", NS, "a", reset=True)
    annotations = (client.get(KUSTOMIZATION, "a", NS) or {})["metadata"]["annotations"]
    assert annotations[REQUESTED] == annotations[RESET]
    flux.suspend(NS, "a", on=True)
    assert flux.state().kustomizations[0].suspended
    flux.suspend(NS, "a", on=False)
    assert "suspend" not in (client.get(KUSTOMIZATION, "a", NS) or {})["spec"]
    with pytest.raises(ObjectAbsent):
        flux.request("GitRepository", NS, "gone")


def test_when_it_was_last_asked_is_told_by_whoever_asked(flux: KubernetesFlux, client: ApiClient) -> None:
    put(client, KUSTOMIZATION, "a", kustomization())
    assert flux.state().kustomizations[0].asked == 0.0
    before = time.time()
    flux.request("Kustomization", NS, "a")
    assert before <= flux.state().kustomizations[0].asked <= time.time()
    asked = {
        "2026-01-01T01:00:00.123456789+01:00": 1767225600.123456,  # as flux itself writes it
        "2026-01-01T00:00:00Z": 1767225600.0,
        "2026-01-01T00:00:00": 0.0,
        "now": 0.0,
        "": 0.0,
    }
    for word, at in asked.items():
        client.merge(KUSTOMIZATION, "a", {"metadata": {"annotations": {REQUESTED: word}}}, NS)
        assert flux.state().kustomizations[0].asked == pytest.approx(at, abs=1e-3), word


@pytest.mark.parametrize(
    "revision", [f"main@sha1:{COMMIT}", f"refs/heads/main@sha1:{COMMIT}", f"sha1:{COMMIT}", f"main/{COMMIT}"]
)
def test_the_commit_is_found_however_the_revision_is_written(revision: str) -> None:
    assert commit_of(revision) == COMMIT
