"""A component is known by the last parts of its charts and images, and by nothing that only looks like them."""

from __future__ import annotations

import pytest

from adapters.components.results import Program, Status
from cluster.components.cilium import CILIUM
from cluster.components.cloudnative_pg import CLOUDNATIVE_PG
from cluster.components.coredns import COREDNS
from cluster.components.external_dns import EXTERNAL_DNS
from cluster.components.onepassword import ONEPASSWORD
from cluster.components.registry import COMPONENTS
from cluster.components.shape import Component
from cluster.components.tailscale import TAILSCALE
from house.repository.programs import DeclaredProgram


@pytest.mark.parametrize(("component", "chart", "images", "is_it"), [
    (ONEPASSWORD, "https://1password.github.io/connect-helm-charts/connect", (), True),
    (ONEPASSWORD, "https://charts.redpanda.com/connect", (), False),
    (ONEPASSWORD, "oci://ghcr.io/bjw-s-labs/helm/app-template", ("docker.io/1password/connect-api",), True),
    (COREDNS, "oci://ghcr.io/coredns/charts/coredns", (), True),
    (COREDNS, "", ("registry.k8s.io/coredns/coredns",), True),
    (COREDNS, "", ("ghcr.io/me/coredns-tools",), False),
    (CILIUM, "cilium/cilium", (), True),
    (CLOUDNATIVE_PG, "app-template", ("ghcr.io/cloudnative-pg/plugin-barman-cloud",), False),
    (CLOUDNATIVE_PG, "https://cloudnative-pg.io/charts/cloudnative-pg", (), True),
    (TAILSCALE, "", ("ghcr.io/other/k8s-operator",), False),
    (TAILSCALE, "", ("docker.io/tailscale/k8s-operator",), True),
    (EXTERNAL_DNS, "", ("ghcr.io/kashalls/external-dns-unifi-webhook",), False),
])  # fmt: skip
def test_a_declared_program_is_of_a_component(component: Component, chart: str, images: tuple[str, ...], is_it: bool) -> None:
    assert component.is_declared(DeclaredProgram("ns", "connect", chart, images)) is is_it


def test_what_must_run_is_missed_by_its_image() -> None:
    agent = Program("DaemonSet", "kube-system", "cilium", Status.CURRENT, images=("quay.io/cilium/cilium",))
    operator = Program("Deployment", "kube-system", "op", Status.CURRENT, images=("quay.io/cilium/operator-generic",))
    assert CILIUM.lacks([agent, operator]) == ()
    assert CILIUM.lacks([operator]) == ("cilium",)


def test_each_has_a_name_of_its_own_and_says_what_it_means() -> None:
    assert len({one.key for one in COMPONENTS}) == len(COMPONENTS)
    for one in COMPONENTS:
        assert one.means
        assert one.images or one.charts
        assert all(aspect.command.startswith("kubectl ") for aspect in one.aspects)


def test_no_image_and_no_chart_is_of_two_components() -> None:
    for kind in ("images", "charts"):
        named = [name for one in COMPONENTS for name in getattr(one, kind)]
        assert len(set(named)) == len(named)
