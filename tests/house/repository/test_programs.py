"""Which programs a house declares: out of helmfile releases, HelmReleases and plain workloads, by chart and image."""

from __future__ import annotations

from typing import Any

from house.data.releases import Releases
from house.flux.rendered import Rendered, RenderedObject
from house.repository.programs import declared_programs

HELM, SOURCE = "helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1"


def one(api: str, kind: str, key: str, spec: dict[str, Any]) -> RenderedObject:
    namespace, name = key.split("/")
    return RenderedObject(api, kind, namespace, name, {"spec": spec}, "flux-system/cluster", "apps.yaml", 3)


def told(*objects: RenderedObject, installed: tuple[tuple[str, str, str], ...] = ()) -> dict[str, tuple[str, tuple[str, ...], str]]:
    found = declared_programs(Rendered(objects), installed)
    return {program.key: (program.chart, program.images, program.step) for program in found}


def test_a_chart_is_told_by_its_whole_address_where_git_shows_the_source() -> None:
    connect = {"chart": {"spec": {"chart": "connect", "sourceRef": {"kind": "HelmRepository", "name": "op", "namespace": "flux"}}}}
    by_ref = {"chartRef": {"kind": "OCIRepository", "name": "loki"}}
    assert told(
        one(SOURCE, "HelmRepository", "flux/op", {"url": "https://1password.github.io/connect-helm-charts/"}),
        one(SOURCE, "OCIRepository", "net/loki", {"url": "oci://ghcr.io/grafana/loki"}),
        one(HELM, "HelmRelease", "net/op", connect), one(HELM, "HelmRelease", "net/loki", by_ref),
        one(HELM, "HelmRelease", "net/lost", {"chartRef": {"kind": "OCIRepository", "name": "app-template"}}),
    ) == {
        "net/op": ("https://1password.github.io/connect-helm-charts/connect", (), "flux.reconcile"),
        "net/loki": ("oci://ghcr.io/grafana/loki", (), "flux.reconcile"),
        "net/lost": ("app-template", (), "flux.reconcile"),
    }  # fmt: skip


def test_a_source_of_another_kind_and_the_same_name_is_another() -> None:
    by_name = {"kind": "HelmRepository", "name": "mine"}
    objects = (
        one(SOURCE, "OCIRepository", "net/mine", {"url": "oci://ghcr.io/x/app-template"}),
        one(SOURCE, "HelmRepository", "net/mine", {"url": "https://charts.example.org"}),
        one(SOURCE, "HelmChart", "net/made", {"chart": "loki"}),
        one(HELM, "HelmRelease", "net/a", {"chartRef": {"kind": "OCIRepository", "name": "mine"}}),
        one(HELM, "HelmRelease", "net/b", {"chart": {"spec": {"chart": "b", "sourceRef": by_name}}}),
        one(HELM, "HelmRelease", "net/c", {"chartRef": {"kind": "HelmChart", "name": "made"}}),
    )
    releases = Releases(Rendered(objects))
    assert [releases.chart(release) for release in objects[3:]] == ["app-template", "b", "loki"]
    assert [releases.of_app_template(release) for release in objects[3:]] == [True, False, False]
    assert told(*objects)["net/c"][0] == "loki"


def test_images_are_found_in_values_wherever_a_chart_has_them() -> None:
    values = {
        "controllers": {"x": {"containers": {"app": {"image": {"repository": "docker.io/cloudflare/cloudflared", "tag": "1"}}}}},
        "image": {"registry": "quay.io", "repository": "a/b"}, "sidecars": [{"image": "c/d:2@sha256:00"}], "imageName": "no",
    }  # fmt: skip
    assert told(one(HELM, "HelmRelease", "net/x", {"values": values}))["net/x"][1] == (
        "docker.io/cloudflare/cloudflared", "quay.io/a/b", "c/d",
    )  # fmt: skip


def test_a_release_is_known_as_helm_knows_it() -> None:
    found = declared_programs(Rendered((
        one(HELM, "HelmRelease", "flux/a", {"targetNamespace": "net", "suspend": True}),
        one(HELM, "HelmRelease", "flux/b", {"targetNamespace": "net", "releaseName": "bee"}),
        one("apps/v1", "Deployment", "net/c", {"template": {"spec": {"containers": [{"image": "c:1"}]}}}),
        one("other/v1", "Deployment", "net/d", {}),
    )), ())  # fmt: skip
    assert [(p.key, p.release, p.images, p.suspended) for p in found] == [
        ("net/net-a", "flux/a", (), True), ("net/bee", "flux/b", (), False), ("net/c", "", ("c",), False),
    ]  # fmt: skip


def test_what_the_helmfile_installs_and_flux_keeps_is_one() -> None:
    again = one(HELM, "HelmRelease", "kube-system/cilium", {"chart": {"spec": {"chart": "cilium"}}})
    (found,) = declared_programs(Rendered((again,)), (("kube-system", "cilium", "oci://quay.io/cilium/cilium"),))
    assert (found.chart, found.step, found.release) == (
        "oci://quay.io/cilium/cilium", "helm.sync-release/kube-system/cilium", "kube-system/cilium",
    )  # fmt: skip
