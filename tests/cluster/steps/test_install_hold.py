"""hold.install: policies, record and a refusal by every API server, before VolSync or Flux could do harm."""

from __future__ import annotations

from engine.probe import Condition
from tests.hands import do, see, step
from tests.scenario.running import Running

STEP = "hold.install"


def test_policies_and_then_their_bite(built: Running) -> None:
    built.home.kube.objects().policies_bite_at = None
    seen = see(built, built.bootstrap, STEP)
    assert seen.condition is Condition.MISSING
    assert seen.evidence
    do(built, built.bootstrap, STEP)
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, len(seen.evidence)) == (Condition.CHANGING, 12)
    built.clock.sleep(2)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_policies_without_a_record_are_not_a_hold(built: Running) -> None:
    built.home.kube.objects().record = None
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING


def test_every_release_and_so_flux_and_volsync_wait_for_it(bare: Running) -> None:
    graph = bare.bootstrap.graph()
    releases = [each.id for each in bare.bootstrap.steps if each.id.startswith("helm.")]
    assert releases
    assert all(step(bare.bootstrap, STEP).id in graph.needs(name) for name in releases)
