"""Rows of components in a modelled house: what is declared and absent, what goes with a node, what only waits, who is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.components.results import Ask
from adapters.kubernetes.results import KubeNode
from cluster.components.actions_runners import LISTENER
from cluster.components.registry import component_checks
from cluster.components.rows import Runs
from cluster.components.sops import AgeKeys
from engine.errors import EXIT_DRIFT, TransientError
from engine.probe import Condition
from engine.report import Outcome, Report
from engine.verify import verify
from lab.troubles.component import COMPONENT_TROUBLES
from lab.world.cluster.components import Object, conditions, custom, unready, workload
from tests.copied import copied
from tests.coverage.whole_house import strike, whole_house
from tests.scenario.running import Running


@pytest.fixture
def house(tmp_path: Path) -> Running:
    return copied(whole_house, tmp_path / "state")


def verified(house: Running) -> Report:
    course = house.bootstrap.with_checks(component_checks(house.home.look(), house.house))
    return verify(course.graph(), house.home.look(), clock=house.clock)


def wrong(report: Report) -> dict[str, tuple[Outcome, Condition | None]]:
    return {one.id: (one.outcome, one.condition) for one in report.steps if not one.done}


def without(house: Running, *names: str) -> None:
    objects = house.home.kube.objects()
    objects.components = [one for one in objects.components if one["metadata"]["name"] not in names]


def put(house: Running, *items: Object) -> None:
    objects = house.home.kube.objects()
    objects.components = [*objects.components, *items]


def release(name: str, *, ready: bool | None) -> Object:
    said = conditions(Ready=(ready, "InstallFailed", "timed out waiting"))
    return custom("helm.toolkit.fluxcd.io/v2", "HelmRelease", f"kube-system/{name}", {}, {"conditions": said}, now=0.0)


def test_a_house_in_order_has_a_row_for_each_and_none_is_red(house: Running) -> None:
    report = verified(house)
    assert wrong(report) == {}
    rows = [one.id for one in report.steps if one.id.startswith("component.")]
    assert {"component.cilium", "component.external-dns/network/unifi-dns", "component.sops", "component.applied"} <= set(rows)


def test_what_is_declared_and_not_there_is_missed(house: Running) -> None:
    without(house, "spegel")
    report = verified(house)
    assert wrong(report) == {"component.spegel": (Outcome.FAILED, Condition.MISSING)}
    assert "kube-system/spegel is declared" in report["component.spegel"].detail
    assert report.exit_code == EXIT_DRIFT


def test_what_was_deployed_and_is_gone_is_drift(house: Running) -> None:
    without(house, "spegel")
    put(house, release("spegel", ready=True))
    report = verified(house)
    assert wrong(report) == {"component.spegel": (Outcome.FAILED, Condition.DRIFTED)}
    error = report["component.spegel"].error
    assert error is not None and "flux reconcile helmrelease -n kube-system spegel --force" in error.hint


def test_a_release_that_failed_is_told_by_its_component(house: Running) -> None:
    put(house, release("spegel", ready=False))
    report = verified(house)
    assert wrong(report) == {"component.spegel": (Outcome.FAILED, Condition.DRIFTED)}
    assert "timed out waiting" in report["component.spegel"].detail


def test_a_release_that_has_not_said_how_it_is_is_not_taken_for_well(house: Running) -> None:
    put(house, release("spegel", ready=None))
    assert wrong(verified(house)) == {"component.spegel": (Outcome.FAILED, Condition.UNKNOWN)}


def test_a_release_that_flux_applied_and_that_is_gone_is_missed_though_its_programs_run(house: Running) -> None:
    gone = release("spegel", ready=True)
    gone["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "dns", "kustomize.toolkit.fluxcd.io/namespace": "network"}
    house.home.kube.objects().components_lost = [gone]
    report = verified(house)
    assert wrong(report) == {"component.applied": (Outcome.FAILED, Condition.DRIFTED)}
    assert "HelmRelease kube-system/spegel: was applied by network/dns, and is not there" in report["component.applied"].detail


def of_flux(item: Object, app: str) -> Object:
    space, _, name = app.partition("/")
    item["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": space}
    return item


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_workload_that_flux_applied_and_that_is_gone_is_missed(house: Running, kind: str) -> None:
    lost = of_flux(workload(kind, "network", "echo", "ghcr.io/x/echo"), "network/cloudflare-dns")
    house.home.kube.objects().components_lost = [lost]
    report = verified(house)
    assert wrong(report) == {"component.applied": (Outcome.FAILED, Condition.DRIFTED)}
    assert f"{kind} network/echo: was applied by network/cloudflare-dns, and is not there" in report["component.applied"].detail


def test_what_is_not_asked_is_counted(house: Running) -> None:
    before = verified(house)["component.applied"].detail
    put(house, of_flux(custom("x.example/v1", "Thing", "apps/one", {}, now=0.0), "apps/notes"))
    after = verified(house)["component.applied"].detail
    assert "not asked: their Kustomizations are suspended, or wait for a held claim" in after
    assert before != after


def test_what_waits_for_flux_or_a_release_is_no_cause_of_its_own(house: Running) -> None:
    house.home.flux.broken["network/cloudflare-dns"] = "no"
    objects = house.home.kube.objects()
    broken = replace(objects.kustomizations["network/cloudflare-dns"], ready=False, reason="BuildFailed", message="no")
    objects.kustomizations[broken.key] = broken
    without(house, "cloudflare-dns")
    found = wrong(verified(house))
    assert found["flux.reconcile"][0] is Outcome.FAILED
    assert found["component.external-dns/network/cloudflare-dns"] == (Outcome.BLOCKED, Condition.MISSING)


def test_a_suspended_program_is_not_missed(house: Running) -> None:
    programs = tuple(replace(one, suspended=one.name == "spegel") for one in house.house.programs)
    without(house, "spegel")
    (row,) = [
        one for one in component_checks(house.home.look(), replace(house.house, programs=programs))
        if isinstance(one, Runs) and one.component.key == "spegel"
    ]  # fmt: skip
    seen = row.probe(house.home.look())
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "HelmRelease kube-system/spegel: is suspended: Flux lets it be")


def test_what_runs_and_nobody_declared_has_its_rows_too(house: Running) -> None:
    undeclared = replace(house.house, programs=())
    ids = {check.id for check in component_checks(house.home.look(), undeclared)}
    assert {"component.spegel", "component.cert-manager.issuers", "component.external-dns/network/unifi-dns"} <= ids
    house.home.kube.objects().components = []
    assert "component.spegel" not in {check.id for check in component_checks(house.home.look(), undeclared)}


def test_one_that_is_scaled_to_none_does_not_run(house: Running) -> None:
    none = workload("Deployment", "kube-system", "coredns", "ghcr.io/coredns/coredns", "coredns")
    none["spec"]["replicas"] = 0
    none["status"] |= dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), 0)
    put(house, none)
    report = verified(house)
    assert wrong(report) == {"component.coredns": (Outcome.FAILED, Condition.DRIFTED)}
    assert "scaled to none" in report["component.coredns"].detail


def test_what_an_owner_speaks_for_is_left_to_it(house: Running) -> None:
    stack = "kube-prometheus-stack"
    owned = unready(workload("StatefulSet", "observability", "prometheus-main", "quay.io/prometheus/prometheus", stack))
    owned["metadata"]["ownerReferences"] = [{"controller": True}]
    put(house, owned)
    assert wrong(verified(house)) == {}


@pytest.fixture
def one_away(house: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Kubernetes has lost sight of one node, and nothing else says so."""
    nodes = tuple(
        KubeNode(node.name, node.address, None if node.name == "w-1" else True, node.control_plane, "v1", "")
        for node in house.house.nodes
    )
    monkeypatch.setattr("lab.ports.kubernetes.cluster.ModelledCluster.nodes", lambda _: nodes)
    return house


def test_pods_of_a_node_that_is_away_are_the_nodes_matter(one_away: Running) -> None:
    agents = workload("DaemonSet", "kube-system", "cilium", "quay.io/cilium/cilium", "cilium", nodes=4)
    agents["status"] |= {"numberReady": 3, "numberAvailable": 3}
    alone = unready(workload("Deployment", "kube-system", "coredns", "ghcr.io/coredns/coredns", "coredns"))
    put(one_away, agents, alone)
    found = wrong(verified(one_away))
    assert found["kubernetes.nodes"][0] is Outcome.FAILED
    assert "component.cilium" not in found
    assert found["component.coredns"] == (Outcome.BLOCKED, Condition.UNKNOWN)


def test_two_pods_less_than_one_node_explains_are_not_excused(one_away: Running) -> None:
    agents = workload("DaemonSet", "kube-system", "cilium", "quay.io/cilium/cilium", "cilium", nodes=4)
    agents["status"] |= {"numberReady": 2, "numberAvailable": 2}
    put(one_away, agents)
    assert wrong(verified(one_away))["component.cilium"][0] is not Outcome.OK


def test_an_application_of_a_held_claim_is_not_asked_yet(house: Running) -> None:
    waits = unready(workload("Deployment", "apps", "notes", "ghcr.io/x/notes"))
    waits["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "notes", "kustomize.toolkit.fluxcd.io/namespace": "apps"}
    put(house, waits)
    assert wrong(verified(house)) == {}
    waits["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = "cloudflare-dns"
    waits["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"] = "network"
    assert list(wrong(verified(house))) == ["component.applied"]


def test_without_an_api_server_what_is_declared_waits_for_it_and_nothing_calls_itself_well(house: Running) -> None:
    house.home.kube.api_down |= {node.address for node in house.house.control_planes}
    report = verified(house)
    rows = [one for one in report.steps if one.id.startswith("component.")]
    assert len(rows) > 20
    assert {one.outcome for one in rows} == {Outcome.BLOCKED}
    assert "kubernetes.api-servers" in rows[0].blocked_by


def test_a_look_that_is_refused_is_unknown(house: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: object, ask: Ask) -> None:
        raise TransientError(f"list {ask.kind}: no answer")

    checks = [one for one in component_checks(house.home.look(), house.house) if one.id == "component.cert-manager.issuers"]
    monkeypatch.setattr("lab.ports.kubernetes.components.ModelledComponents.objects", silent)
    course = replace(house.bootstrap, checks=(*house.bootstrap.checks, *checks))
    report = verify(course.graph(), house.home.look(), clock=house.clock)
    assert wrong(report) == {"component.cert-manager.issuers": (Outcome.FAILED, Condition.UNKNOWN)}


def test_what_is_not_declared_and_cannot_be_listed_is_no_silence(house: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: object, ask: Ask) -> None:
        raise TransientError(f"list {ask.kind}: no answer")

    bare = replace(house.house, programs=())
    house.home.kube.objects().components = []
    rows = {one.id for one in component_checks(house.home.look(), bare)}
    assert not {row for row in rows if row.startswith("component.tailscale-operator")}
    monkeypatch.setattr("lab.ports.kubernetes.components.ModelledComponents.objects", silent)
    rows = {one.id: one for one in component_checks(house.home.look(), bare)}
    assert "component.tailscale-operator" not in rows, "programs were listed, and there is none of it"
    with pytest.raises(TransientError):
        rows["component.tailscale-operator.proxies"].probe(house.home.look())
    monkeypatch.setattr("lab.ports.kubernetes.components.ModelledComponents.programs", lambda _: silent(_, LISTENER))
    rows = {one.id: one for one in component_checks(house.home.look(), bare)}
    assert not {row for row in rows if row.startswith("component.tailscale-operator")}, "nobody answers: only what is declared"


def test_a_certificate_of_a_refused_issuer_is_not_told_twice(house: Running) -> None:
    strike(house, COMPONENT_TROUBLES["cert-manager-issuer-refused"])
    assert list(wrong(verified(house))) == ["component.cert-manager.issuers"]


def test_an_age_key_that_a_bootstrap_puts_is_told_once(house: Running) -> None:
    del house.home.kube.objects().secrets["apps", "sops-age"]
    found = wrong(verified(house))
    assert found["kubernetes.put-secret/apps/sops-age"][0] is Outcome.FAILED
    assert found["component.sops"] == (Outcome.BLOCKED, Condition.MISSING)


def test_where_flux_has_nothing_that_decrypts_no_key_is_called_right(house: Running) -> None:
    house.home.kube.objects().kustomizations.clear()
    seen = AgeKeys(house.house).probe(house.home.look())
    assert (seen.condition, seen.detail) == (Condition.MISSING, "3 Kustomizations of Git decrypt, and none of them is there")
    plain = tuple(replace(one, decryption="") for one in house.house.flux_apps)
    assert AgeKeys(replace(house.house, flux_apps=plain)).probe(house.home.look()).condition is Condition.SATISFIED


def test_an_age_key_that_nobody_puts_is_a_finding_of_its_own(house: Running) -> None:
    app = replace(house.house.flux_apps[0], decryption="other-key")
    house.home.kube.house = replace(house.house, flux_apps=(app, *house.house.flux_apps[1:]))
    found = wrong(verified(house))
    assert found == {"component.sops": (Outcome.FAILED, Condition.DRIFTED)}
