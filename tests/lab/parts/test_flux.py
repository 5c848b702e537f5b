"""Flux's real controllers, started by their Deployments' pods: ready when they say so, gone when the pod goes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.parts.fluxoperator import INSTANCES
from lab.parts.kube import CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, NAMESPACES, PODS, SERVICE_ACCOUNTS, Object, Resource
from lab.parts.objects.manifests import BINDINGS, deployment, wait_established
from lab.parts.programs import CHECKOUT
from lab.wire.charts import ChartDoor, pack
from lab.wire.git import GitDoor
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench

pytestmark = pytest.mark.programs
HELM_REPOSITORIES = Resource("/apis/source.toolkit.fluxcd.io/v1", "helmrepositories")
RELEASES = Resource("/apis/helm.toolkit.fluxcd.io/v2", "helmreleases")
KUSTOMIZATIONS = Resource("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations")
OPERATOR_DEFINITION = CHECKOUT / "lab" / "houses" / "charts" / "flux-operator" / "crds" / "fluxinstance.yaml"
FLUX = "flux-system"


@pytest.fixture(scope="module")
def flux(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The session's cluster with Flux in it, made by the operator's stand-in from a FluxInstance and a Git repository."""
    kube = bench.kube
    root = tmp_path_factory.mktemp("git")
    note = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-git\n  namespace: default\n"
    commit(root / "home-ops", "cluster/note.yaml", note)
    kube.apply_text(
        DEFINITIONS, DEFINITIONS.url("", "fluxinstances.fluxcd.controlplane.io"), OPERATOR_DEFINITION.read_bytes()
    )
    kube.apply(NAMESPACES, objects.namespace(FLUX))
    kube.apply(
        SERVICE_ACCOUNTS,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": FLUX}},
    )
    kube.apply(
        BINDINGS,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "flux-operator"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": FLUX}],
        },
    )
    kube.apply(DEPLOYMENTS, deployment(FLUX, "flux-operator", "lab/flux-operator:1.0.0", account="operator"))
    door = GitDoor(root, "127.0.0.1", 0, bench.authority.server("git", "127.0.0.1")).start()
    wait_established(kube)
    sync = {
        "kind": "GitRepository",
        "url": f"{door.url}/home-ops/.git",
        "ref": "refs/heads/main",
        "path": "cluster",
        "interval": "1h",
    }
    meta = {"name": "flux", "namespace": FLUX}
    instance = {
        "apiVersion": "fluxcd.controlplane.io/v1",
        "kind": "FluxInstance",
        "metadata": meta,
        "spec": {"sync": sync},
    }
    kube.apply(INSTANCES, instance)
    bench.until(lambda: condition(bench, INSTANCES, FLUX, "flux").get("status") == "True", "the FluxInstance", 60)
    yield bench
    door.close()


@pytest.fixture
def charts(bench: Bench, tmp_path: Path) -> Iterator[str]:
    """The address of a chart repository with one chart, `hello`."""
    chart = tmp_path / "sources" / "hello"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: hello\nversion: 1.0.0\n")
    (chart / "templates" / "note.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
    )
    (tmp_path / "served").mkdir()
    door = ChartDoor(tmp_path / "served", "127.0.0.1", 0, bench.authority.server("charts", "127.0.0.1"))
    pack(tmp_path / "sources", tmp_path / "served", door.url)
    door.start()
    yield door.url
    door.close()


def commit(folder: Path, name: str, text: str) -> None:
    """Write one file into a repository (made when it is not there) and commit it."""
    who = {
        "GIT_AUTHOR_NAME": "lab",
        "GIT_AUTHOR_EMAIL": "lab@lab",
        "GIT_COMMITTER_NAME": "lab",
        "GIT_COMMITTER_EMAIL": "lab@lab",
    }
    environment = {"HOME": str(folder.parent), "PATH": "/usr/local/bin:/usr/bin:/bin", **who}
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "change")):
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


def condition(bench: Bench, resource: Resource, space: str, name: str) -> Object:
    found = bench.status(resource, space, name).get("conditions") or []
    ready: Object = next((c for c in found if c["type"] == "Ready"), {})
    return ready


def test_flux_finds_its_definitions_controllers_and_pods_by_their_labels(flux: Bench) -> None:
    kube, mark = flux.kube, "app.kubernetes.io/part-of=flux"
    definitions = {item["spec"]["group"] for item in kube.list(DEFINITIONS, selector=mark)}
    assert {group.partition(".")[0] for group in definitions} == {"source", "kustomize", "helm"}
    assert len(kube.list(DEPLOYMENTS, FLUX, selector=mark)) == len(kube.list(PODS, FLUX, selector=mark)) == 3


def test_a_flux_instance_becomes_what_its_repository_says(flux: Bench) -> None:
    assert flux.kube.get(CONFIG_MAPS, "from-git", "default") is not None
    assert condition(flux, KUSTOMIZATIONS, FLUX, FLUX)["reason"] == "ReconciliationSucceeded"
    assert condition(flux, INSTANCES, FLUX, "flux")["reason"] == "ReconciliationSucceeded"


def test_a_release_is_installed_by_the_real_controllers(flux: Bench, charts: str) -> None:
    space = flux.namespace()
    kube = flux.kube
    meta = {"name": "hello", "namespace": space}
    repository = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository", "metadata": meta}
    kube.apply(HELM_REPOSITORIES, {**repository, "spec": {"interval": "1h", "url": charts}})
    chart = {"spec": {"chart": "hello", "version": "1.0.0", "sourceRef": {"kind": "HelmRepository", "name": "hello"}}}
    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": meta}
    kube.apply(RELEASES, {**release, "spec": {"interval": "1h", "chart": chart}})
    flux.until(lambda: condition(flux, RELEASES, space, "hello").get("reason") == "InstallSucceeded", "the release", 40)


def test_a_kustomization_without_its_source_says_so(flux: Bench) -> None:
    space = flux.namespace()
    meta = {"name": "apps", "namespace": space}
    source = {"kind": "GitRepository", "name": "nowhere"}
    spec = {"interval": "1h", "path": "./", "prune": True, "sourceRef": source}
    item = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta, "spec": spec}
    flux.kube.apply(KUSTOMIZATIONS, item)
    flux.until(
        lambda: condition(flux, KUSTOMIZATIONS, space, "apps").get("reason") == "ArtifactFailed", "the refusal", 30
    )


def test_a_controller_goes_with_its_pod_and_comes_with_the_next(flux: Bench) -> None:
    def controllers() -> dict[str, int]:
        return {n: p for n, p in flux.cluster.supervisor.running().items() if "helm-controller" in n}

    before = controllers()
    assert len(before) == 1
    (pod,) = flux.kube.list(PODS, FLUX, "app=helm-controller")
    flux.kube.delete(PODS, pod)
    flux.until(lambda: bool(controllers()) and controllers().keys() != before.keys(), "the next controller", 30)
    flux.wait_deployed(FLUX, "helm-controller")
