"""TLS Secrets that were kept: back before anything comes that could order them anew, and under nothing that lives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.certificates_check import KeptCertificates
from engine.errors import EXIT_HELD, EXIT_STEP_FAILED
from engine.plan import Planned
from engine.probe import Condition
from engine.step import StepId
from house.known.inventory import certificates_path
from house.values.afterwards import Kit
from tests.builders import a_house
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import Running

DAY_S = 86400.0
PUT = StepId("kubernetes.put-certificates")
WIKI, SITE = ("web", "wiki-tls"), ("network", "site-tls")


@pytest.fixture
def house(tmp_path: Path) -> Running:
    """Bare hosts of a house that keeps its TLS Secrets."""
    given = replace(a_house(), kit=Kit(certificates=True), settings_file=tmp_path / "blackstart.yaml")
    running = Running(tmp_path / "state", given)
    running.backed_up()
    return running


def keep(house: Running, **days: float) -> None:
    """Such Secrets of namespace `web` lie beside the settings, each for so many days still."""
    kept = {f"web/{name.replace('_', '-')}": house.clock.now() + left * DAY_S for name, left in days.items()}
    certificates_path(house.house).write_text(json.dumps(kept))


def test_they_are_back_before_the_first_release_and_one_that_has_ended_is_not(house: Running) -> None:
    keep(house, wiki_tls=60, old_tls=-1)
    report = house.apply(house.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    assert set(house.home.kube.objects().tls) == {WIKI}
    order = [step.id for step in report.steps]
    assert order.index(PUT) < min(place for place, step in enumerate(order) if step.startswith("helm.sync-release/"))
    graph = house.bootstrap.graph()
    for step in ("helm.sync-release/kube-system/cilium", "flux.reconcile"):
        assert PUT in graph.needs(StepId(step))
    again = house.plan(house.bootstrap)[PUT]
    assert (again.verdict, "old-tls ended" in str(again)) == (Planned.NOOP, True)


def test_nothing_is_put_under_a_cert_manager_that_has_begun(house: Running) -> None:
    assert house.apply(house.bootstrap).exit_code == EXIT_HELD
    house.home.kube.objects().certificates.add(WIKI)
    keep(house, wiki_tls=60)
    assert house.plan(house.bootstrap).changes == ()


def test_without_a_file_they_are_ordered_anew_and_that_is_said(house: Running) -> None:
    assert house.apply(house.bootstrap).exit_code == EXIT_HELD
    assert "ordered anew" in str(house.plan(house.bootstrap)[PUT])


def test_a_file_that_does_not_open_stops_what_would_order_and_no_machine(house: Running) -> None:
    certificates_path(house.house).write_text("-----BEGIN AGE ENCRYPTED FILE-----")
    report = house.apply(house.bootstrap)
    assert report.exit_code == EXIT_STEP_FAILED
    assert len(house.home.proxmox.vms) == len(house.house.nodes)
    assert house.home.kube.objects().releases == {}
    file = certificates_path(house.house)
    file.rename(f"{file}.bad")  # as its hint says
    assert house.apply(house.bootstrap).exit_code == EXIT_HELD


def test_a_house_that_keeps_none_has_no_such_step(tmp_path: Path) -> None:
    assert PUT not in Running(tmp_path / "state").bootstrap.graph().ids


def seen(house: Running) -> tuple[Condition, str, tuple[str, ...]]:
    found = KeptCertificates(house.house).probe(house.home.look())
    return found.condition, found.detail, found.evidence


def test_verify_says_what_a_rebuild_would_have_to_order(house: Running) -> None:
    house.apply(house.bootstrap)
    objects = house.home.kube.objects()
    objects.tls = {WIKI: house.clock.now() + 80 * DAY_S, SITE: house.clock.now() + 80 * DAY_S}
    assert seen(house)[0] is Condition.MISSING
    keep(house, wiki_tls=13)
    assert seen(house)[::2] == (
        Condition.DRIFTED, ("network/site-tls is not kept", "web/wiki-tls as it was kept ends soon or has ended"),
    )  # fmt: skip
    certificates_path(house.house).write_text(house.home.look().tls.sealed(house.clock.now()).text)
    assert seen(house) == (Condition.SATISFIED, "2 TLS Secrets are kept", ())
    keep(house, wiki_tls=60)
    kept = json.loads(certificates_path(house.house).read_text())
    certificates_path(house.house).write_text(json.dumps({**kept, "network/site-tls": None}))
    told = ("network/site-tls as it was kept says of no certificate when it ends",)
    assert seen(house)[::2] == (Condition.DRIFTED, told), "what holds no certificate is ordered anew"


def test_what_the_cluster_has_not_yet_stays_kept_until_it_ends(house: Running) -> None:
    """A kit that is written in the middle of a rebuild would lose all of them otherwise."""
    house.apply(house.bootstrap)
    keep(house, wiki_tls=60, old_tls=-1)
    assert set(house.home.look().tls.sealed(house.clock.now()).ends) == {"web/wiki-tls"}
