"""Keys that cannot be had now are unknown, keys that cannot be had at all are a problem: the two are never confused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.talos.machineconfigs import TalhelperMachineconfigs
from engine.errors import Interrupted, PermanentError, TransientError
from engine.secrets import Secret
from tests.adapters.talos.test_kubeconfig import NoPrograms
from tests.builders import a_house


def keys(folder: Path, age_key: Callable[[], Secret]) -> TalhelperMachineconfigs:
    """What is asked of keys, with an encrypted bundle."""
    bundle = folder / "talsecret.sops.yaml"
    bundle.write_text("cluster: {id: ENC}\nsops: {version: 3.9.0}\n")
    cluster = replace(a_house().cluster, secrets_bundle=bundle, talconfig=folder / "talconfig.yaml")
    return TalhelperMachineconfigs(cluster, ["cp-1"], folder / "state", NoPrograms(), age_key)


def failing(error: Exception) -> Callable[[], Secret]:
    """A source of the age key that answers only this."""

    def source() -> Secret:
        raise error

    return source


@pytest.mark.parametrize("error", [TransientError("the vault does not answer"), Interrupted("told to stop")])
def test_what_could_not_be_asked_is_no_missing_key(tmp_path: Path, error: Exception) -> None:
    asked = keys(tmp_path, failing(error))
    for look in (asked.age_key_problem, asked.bundle_problem, asked.os_ca):
        with pytest.raises(type(error)):
            look()


def test_a_key_that_is_nowhere_is_told_with_every_place_that_was_tried(tmp_path: Path) -> None:
    asked = keys(tmp_path, failing(PermanentError("it cannot be had", evidence=("env:AGE is not set", "file:key: no such file"))))
    assert asked.age_key_problem() == "it cannot be had; env:AGE is not set; file:key: no such file"
    assert "cannot be had" in asked.bundle_problem()
    assert asked.os_ca() == ""
