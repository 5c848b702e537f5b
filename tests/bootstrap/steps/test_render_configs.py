"""talos.render-configs: the files in the state folder are what the repository says now."""

from __future__ import annotations

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "talos.render-configs"


def test_nothing_rendered_is_missing_and_rendering_makes_a_file_per_node(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.MISSING
    do(bare, bare.bootstrap, STEP)
    assert see(bare, bare.bootstrap, STEP).condition is Condition.SATISFIED
    assert set(bare.home.files.rendered) == {"cp-1", "cp-2", "cp-3", "w-1"}


def test_one_lost_file_is_missing(bare: Running) -> None:
    do(bare, bare.bootstrap, STEP)
    del bare.home.files.rendered["w-1"]
    assert see(bare, bare.bootstrap, STEP).condition is Condition.MISSING


@pytest.mark.parametrize("change", ["repository", "bundle"])
def test_a_change_of_what_it_is_rendered_from_is_drift(bare: Running, change: str) -> None:
    do(bare, bare.bootstrap, STEP)
    if change == "repository":
        bare.home.files.edits += 1
    else:
        bare.home.files.bundle = "bundle-2"
    assert see(bare, bare.bootstrap, STEP).condition is Condition.DRIFTED
    do(bare, bare.bootstrap, STEP)
    assert see(bare, bare.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_bundle_that_does_not_open_is_never_replaced_by_a_new_one(bare: Running) -> None:
    bare.home.files.bundle_problem = "no key opens it"
    with pytest.raises(PermanentError, match="no key opens it"):
        do(bare, bare.bootstrap, STEP)
    assert bare.home.files.rendered == {}
