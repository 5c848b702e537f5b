"""Kinds that are rendered or declared are held against what is served by then, before the first VM is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

import pytest

from adapters.helm.results import ReleaseKinds
from adapters.kubernetes.results import CrdState
from adapters.ports import ReleasesView
from engine.errors import EXIT_HELD
from engine.probe import Condition, Probe
from engine.step import Severity
from house.declared.kinds import DeclaredKind, DeclaredKinds, Kind
from house.model import CrdForm, CrdSource
from tests.hands import item, see
from tests.scenario.running import Running

MONITOR = Kind("monitoring.coreos.com/v1", "ServiceMonitor")
ISSUER = Kind("cert-manager.io/v1", "ClusterIssuer")
CILIUM = "kube-system/cilium"
NAMED = CrdSource("monitoring", CrdForm.URL, "https://127.10.0.20/crds.yaml", sha256="ab" * 32)
# What the modelled manifests port makes of an entry of this name.
OF_NAMED = Kind("example.net/v1", "Monitoring")


def of(house: Running, key: str) -> Probe:
    return see(house, house.bootstrap, f"preflight.kinds/{key}")


def severity(house: Running, key: str, seen: Probe) -> Severity:
    found = item(house.bootstrap, f"preflight.kinds/{key}")
    answer: Severity = getattr(found, "severity_of")(seen)  # noqa: B009 - a step has none
    return answer


def declares(house: Running, *kinds: Kind, brought: tuple[Kind, ...] = (), unseen: tuple[str, ...] = ()) -> None:
    rows = tuple(DeclaredKind(kind, 2, "flux-system/apps", "ks.yaml:3") for kind in kinds)
    house.house = replace(house.house, kinds=DeclaredKinds(rows, brought, unseen))


class TestOfARelease:
    def test_a_house_whose_kinds_are_all_brought_is_silent(self, bare: Running) -> None:
        for release in bare.house.releases:
            assert of(bare, release.key).condition is Condition.SATISFIED

    def test_one_that_nothing_brings_is_named_with_who_renders_it_and_what_would_bring_it(self, bare: Running) -> None:
        bare.home.rendered[CILIUM] = ReleaseKinds(needs=(MONITOR,))
        seen = of(bare, CILIUM)
        assert seen.condition is Condition.MISSING
        assert seen.detail == "kube-system/cilium renders what nothing brings by then: ServiceMonitor of monitoring.coreos.com/v1"
        assert seen.evidence == ("ServiceMonitor of monitoring.coreos.com/v1: usually from the definitions of prometheus-operator",)
        assert "bootstrap.crds" in seen.hint
        assert severity(bare, CILIUM, seen) is Severity.BLOCKING

    def test_it_stops_everything_before_the_first_vm(self, bare: Running) -> None:
        bare.home.rendered[CILIUM] = ReleaseKinds(needs=(MONITOR,))
        report = bare.apply(bare.bootstrap)
        failed = {step.id for step in report.root_causes}
        assert failed == {f"preflight.kinds/{CILIUM}"} and report.exit_code == 20
        assert not bare.home.proxmox.vms

    def test_what_the_settings_name_is_there_before_every_release(self, bare: Running) -> None:
        bare.home.rendered[CILIUM] = ReleaseKinds(needs=(OF_NAMED,))
        assert of(bare, CILIUM).condition is Condition.MISSING
        bare.house = replace(bare.house, crd_sources=(NAMED,))
        assert of(bare, CILIUM).condition is Condition.SATISFIED

    def test_another_version_of_it_is_not_it(self, bare: Running) -> None:
        bare.house = replace(bare.house, crd_sources=(NAMED,))
        bare.home.rendered[CILIUM] = ReleaseKinds(needs=(Kind("example.net/v1beta1", "Monitoring"),))
        seen = of(bare, CILIUM)
        assert (seen.condition, seen.evidence) == (
            Condition.MISSING, ("Monitoring of example.net/v1beta1: only example.net/v1 is served by then",),
        )  # fmt: skip

    def test_a_release_that_is_waited_for_brings_it_and_one_that_is_not_does_not(self, bare: Running) -> None:
        bare.home.rendered |= {"kube-system/coredns": ReleaseKinds(brings=(ISSUER,)), CILIUM: ReleaseKinds(needs=(ISSUER,))}
        bare.home.rendered["flux-system/flux-instance"] = ReleaseKinds(needs=(ISSUER,))
        assert of(bare, "flux-system/flux-instance").condition is Condition.SATISFIED, "by way of flux-operator"
        seen = of(bare, CILIUM)
        assert seen.condition is Condition.MISSING
        assert "kube-system/coredns brings it, and is not waited for: add it to `needs`" in seen.evidence[0]

    @pytest.mark.parametrize(
        ("rendered", "there"),
        [
            (ReleaseKinds(needs=(ISSUER,), first=(ISSUER,)), True),
            (ReleaseKinds(later=(ISSUER,), brings=(ISSUER,)), True),
            (ReleaseKinds(needs=(ISSUER,), brings=(ISSUER,)), False),  # helm looks at all of them before it applies one
        ],
    )
    def test_its_own_count_where_helm_applies_them_first(self, bare: Running, rendered: ReleaseKinds, there: bool) -> None:
        bare.home.rendered[CILIUM] = rendered
        assert (of(bare, CILIUM).condition is Condition.SATISFIED) is there

    def test_programs_of_a_release_that_is_waited_for_bring_their_own(self, bare: Running) -> None:
        policy = Kind("cilium.io/v2", "CiliumNetworkPolicy")
        bare.home.rendered |= {key: ReleaseKinds(needs=(policy,)) for key in ("kube-system/coredns", CILIUM)}
        assert of(bare, "kube-system/coredns").condition is Condition.SATISFIED
        assert of(bare, CILIUM).condition is Condition.MISSING, "its operator does not run yet"

    def test_a_chart_server_that_is_down_makes_it_unknown_and_stops_nothing(self, bare: Running) -> None:
        bare.home.rendered["kube-system/coredns"] = ReleaseKinds(needs=(MONITOR,))
        bare.home.unfetchable[CILIUM] = "503 Service Unavailable"
        seen = of(bare, "kube-system/coredns")
        assert seen.condition is Condition.UNKNOWN and "kube-system/cilium" in seen.detail
        assert severity(bare, "kube-system/coredns", seen) is Severity.ADVISORY
        assert of(bare, CILIUM).condition is Condition.UNKNOWN
        assert of(bare, "flux-system/flux-operator").condition is Condition.SATISFIED, "it lacks nothing, whatever cilium brings"

    def test_a_cluster_that_lives_and_serves_it_is_drift_that_stops_no_run(self, built: Running) -> None:
        built.home.rendered[CILIUM] = ReleaseKinds(needs=(OF_NAMED,))
        built.home.kube.objects().crds["monitoring.example.net"] = CrdState("monitoring.example.net", True, ("v1",))
        seen = of(built, CILIUM)
        assert seen.condition is Condition.DRIFTED and "nothing would bring them to a new one" in seen.detail
        assert severity(built, CILIUM, seen) is Severity.WATCHED
        assert built.apply(built.bootstrap).exit_code == EXIT_HELD
        assert built.verify(built.bootstrap).exit_code == 3


class Asked:
    """The modelled releases, and what each was said to be rendered with."""

    def __init__(self, releases: ReleasesView) -> None:
        self.releases, self.with_ = releases, defaultdict[str, set[frozenset[Kind]]](set)

    def kinds_of(self, namespace: str, name: str, served: Collection[Kind]) -> ReleaseKinds:
        self.with_[f"{namespace}/{name}"].add(frozenset(served))
        return self.releases.kinds_of(namespace, name, served)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.releases, name)


def test_all_checks_together_have_each_release_rendered_for_one_moment_alone(bare: Running) -> None:
    alone = tuple(replace(one, needs=()) if one.name == "flux-operator" else one for one in bare.house.releases)
    bare.house = replace(bare.house, releases=alone)
    declares(bare, MONITOR, brought=(MONITOR,))
    brought = {release.key: Kind(f"{release.name}.example.net/v1", "Own") for release in alone}
    bare.home.rendered |= {key: ReleaseKinds(first=(kind,)) for key, kind in brought.items()}
    look = bare.home.look()
    asked = Asked(look.releases)
    look = replace(look, releases=cast(ReleasesView, asked))
    for check in bare.bootstrap.checks:
        if check.id.startswith("preflight.kinds/"):
            assert check.probe(look).condition is Condition.SATISFIED
    assert {key: len(sets) for key, sets in asked.with_.items()} == dict.fromkeys(brought, 1)
    (instance,) = asked.with_["flux-system/flux-instance"]
    assert brought["flux-system/flux-operator"] in instance and brought[CILIUM] not in instance


class TestOfFlux:
    def test_what_is_built_in_brought_in_git_or_flux_own_lacks_nothing(self, bare: Running) -> None:
        own = (Kind("v1", "ConfigMap"), Kind("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ISSUER)
        declares(bare, *own, Kind("volsync.backube/v1", "ReplicationSource"), brought=(ISSUER,))
        seen = of(bare, "flux")
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, "4 kinds, all served or brought")

    def test_one_that_provably_nothing_brings_stops_the_run(self, bare: Running) -> None:
        declares(bare, MONITOR)
        seen = of(bare, "flux")
        assert seen.condition is Condition.MISSING and severity(bare, "flux", seen) is Severity.BLOCKING
        told = "ServiceMonitor of monitoring.coreos.com/v1: flux-system/apps declares 2, ks.yaml:3; usually from"
        assert seen.evidence[0].startswith(told)
        assert bare.apply(bare.bootstrap).exit_code == 20 and not bare.home.proxmox.vms

    def test_where_a_chart_that_nobody_rendered_may_bring_it_the_row_says_so_and_stops_nothing(self, bare: Running) -> None:
        declares(bare, MONITOR, Kind("v1", "Pod"), unseen=("HelmRelease observability/stack", "https://example.net/crd.yaml"))
        seen = of(bare, "flux")
        assert seen.condition is Condition.SATISFIED
        assert seen.detail == "1 of 2 kinds served or brought; 1 may come with what was not rendered here (2)"
        assert len(seen.evidence) == 1

    def test_a_release_that_could_not_be_rendered_may_bring_it_too(self, bare: Running) -> None:
        declares(bare, ISSUER)
        bare.home.unfetchable["kube-system/coredns"] = "503 Service Unavailable"
        seen = of(bare, "flux")
        assert seen.condition is Condition.SATISFIED and "1 may come with what was not rendered here (1)" in seen.detail

    def test_a_cluster_that_lives_and_serves_it_is_drift(self, built: Running) -> None:
        declares(built, OF_NAMED)
        assert of(built, "flux").condition is Condition.MISSING
        built.home.kube.objects().crds["monitoring.example.net"] = CrdState("monitoring.example.net", True, ("v1",))
        seen = of(built, "flux")
        assert (seen.condition, severity(built, "flux", seen)) == (Condition.DRIFTED, Severity.WATCHED)
