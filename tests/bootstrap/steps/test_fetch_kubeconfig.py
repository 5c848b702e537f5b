"""talos.fetch-kubeconfig: a kubeconfig of this very cluster's CA lies in the state folder."""

from __future__ import annotations

import pytest

from engine.errors import TransientError
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "talos.fetch-kubeconfig"


def test_none_and_one_of_another_cluster_are_missing_and_ours_is_fetched(built: Running) -> None:
    for lost in ("", "another cluster's ca"):
        built.home.files.kubeconfig_ca = lost
        assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_one_for_another_endpoint_is_missing(built: Running) -> None:
    built.home.files.kubeconfig_endpoint = "https://127.10.0.99:6443"
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_silent_node_can_be_asked_again(bare: Running) -> None:
    with pytest.raises(TransientError):
        do(bare, bare.bootstrap, STEP)
