"""kubernetes.put-secret: the age key, and the deploy key where there is one; only whether it matches is ever told."""

from __future__ import annotations

from engine.probe import Condition
from tests.hands import do, see, step
from tests.scenario.running import Running

STEP = "kubernetes.put-secret/sops-age"


def test_missing_drifted_and_satisfied(built: Running) -> None:
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    secrets = built.home.kube.objects().secrets
    secrets[("flux-system", "sops-age")] = "another key"
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("data",))
    del secrets[("flux-system", "sops-age")]
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_without_an_api_server_nothing_is_known(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_person_gives_the_value_on_stdin(bare: Running) -> None:
    assert step(bare.bootstrap, STEP).by_hand().endswith("--from-file=age.agekey=/dev/stdin < <(cat /house/age.key)")
