"""kubernetes.create-namespace: what releases and secrets need before Flux is there."""

from __future__ import annotations

from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "kubernetes.create-namespace/apps"


def test_one_that_is_gone_is_made_again(built: Running) -> None:
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    built.home.kube.objects().namespaces.discard("apps")
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_every_namespace_of_the_house_has_its_step(bare: Running) -> None:
    made = {each.id.partition("/")[2] for each in bare.bootstrap.steps if each.id.startswith("kubernetes.create-namespace/")}
    assert made == set(bare.house.namespaces)
