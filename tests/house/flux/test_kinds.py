"""Which kinds are served: Kubernetes' own, what Git defines, what programs bring, and what an unrendered chart might."""

from __future__ import annotations

from typing import Any

import pytest

from house.declared.kinds import Kind, by_itself, declared_kinds, gone_since, lacking, runs_with, usually_from
from house.flux.rendered import NotFollowed, Rendered, RenderedObject

NOW = "v1.33.4"


def an_object(api: str, kind: str, name: str = "one", **body: Any) -> RenderedObject:
    return RenderedObject(api, kind, "apps", name, body, "flux-system/apps", f"{kind}.yaml", 1)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("v1", "Secret"), ("apps/v1", "Deployment"), ("networking.k8s.io/v1", "Ingress"), ("policy/v1", "PodDisruptionBudget"),
        ("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy"), ("networking.k8s.io/v1beta1", "IPAddress"),
        ("storage.k8s.io/v1beta1", "VolumeAttributesClass"), ("talos.dev/v1alpha1", "ServiceAccount"),
        ("populator.storage.k8s.io/v1beta1", "VolumePopulator"),
    ],
)  # fmt: skip
def test_what_a_cluster_has_by_itself_lacks_nothing(api: str, kind: str) -> None:
    assert by_itself(Kind(api, kind), NOW)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("monitoring.coreos.com/v1", "ServiceMonitor"), ("gateway.networking.k8s.io/v1", "Gateway"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshotClass"), ("volsync.backube/v1alpha1", "ReplicationSource"),
        ("policy/v1beta1", "PodDisruptionBudget"), ("extensions/v1beta1", "Ingress"), ("networking.k8s.io/v1beta1", "Ingress"),
        ("batch/v1beta1", "CronJob"), ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"), ("apps.kruise.io/v1", "Deployment"),
    ],
)  # fmt: skip
def test_what_it_has_not_is_lacking_until_something_brings_exactly_that(api: str, kind: str) -> None:
    wanted = Kind(api, kind)
    assert lacking([wanted, wanted, Kind("v1", "Pod")], (), NOW) == (wanted,)
    assert lacking([wanted], [Kind(f"{wanted.group}/v9", kind)], NOW) == (wanted,), "another version is another kind"
    assert lacking([wanted], [wanted], NOW) == ()


def test_an_older_cluster_still_serves_what_a_newer_one_does_not() -> None:
    kind = Kind("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema")
    assert (by_itself(kind, "v1.31.9"), by_itself(kind, "v1.32.0"), gone_since(kind)) == (True, False, 32)
    assert not by_itself(kind, ""), "where the version is not known it is not promised"


def test_programs_bring_kinds_when_they_run_and_the_usual_origin_is_named() -> None:
    policy = Kind("cilium.io/v2alpha1", "CiliumL2AnnouncementPolicy")
    assert runs_with("oci://quay.io/cilium/charts/cilium", policy) and runs_with("cilium/cilium", policy)
    assert not runs_with("cilium/hubble", policy) and not runs_with("cilium", Kind("notcilium.io/v2", "Policy"))
    assert "prometheus-operator" in usually_from(Kind("monitoring.coreos.com/v1", "Probe"))
    assert usually_from(Kind("unheard.example.net/v1", "Thing")) == ""


def test_git_is_told_by_kind_with_what_it_brings_and_what_is_not_seen() -> None:
    definition = an_object(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "toys.example.net",
        spec={"group": "example.net", "names": {"kind": "Toy"}, "versions": [
            {"name": "v1", "served": True}, {"name": "v1alpha1", "served": False}]},
    )  # fmt: skip
    helm = "helm.toolkit.fluxcd.io/v2"
    objects = (
        an_object("example.net/v1", "Toy", "a"), definition, an_object("example.net/v1", "Toy", "b"),
        an_object(helm, "HelmRelease", "cilium"), an_object(helm, "HelmRelease", "grafana"),
    )  # fmt: skip
    remote = NotFollowed("https://example.net/crd.yaml", "lies elsewhere", "k.yaml", 1)
    found = declared_kinds(Rendered(objects, (remote,)), {"apps/cilium"})
    counts = {one.kind.name: one.count for one in found.declared}
    assert counts == {"CustomResourceDefinition": 1, "HelmRelease": 2, "Toy": 2}
    assert found.brought == (Kind("example.net/v1", "Toy"),), "a version that is not served is not brought"
    assert found.unseen == ("HelmRelease apps/grafana", "https://example.net/crd.yaml")
