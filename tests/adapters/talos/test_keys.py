"""Keys that cannot be had now are unknown, keys that cannot be had at all are a problem: the two are never confused."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.process.results import NO_ENVIRONMENT, Finished
from adapters.talos.bundle import _NEEDED, BundleUnusable, SecretsBundle
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


class Sops:
    """sops that opens whatever it is given with any key, and counts; `meanwhile` happens while it reads."""

    def __init__(self) -> None:
        self.opened = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        """A whole bundle; its cluster's id is how often one was opened."""
        self.opened += 1
        self.meanwhile()
        needed: dict[str, object] = {}
        for path in (*_NEEDED, "cluster.id"):
            *folders, last = path.split(".")
            place = needed
            for folder in folders:
                place = place.setdefault(folder, {})  # type: ignore[assignment]
            place[last] = f"{path} {self.opened}"
        return Finished(" ".join(argv), 0, json.dumps(needed).encode(), (), 0.1)


def test_sops_opens_a_bundle_once_while_neither_it_nor_the_key_changes(tmp_path: Path) -> None:
    path, sops, key = tmp_path / "talsecret.sops.yaml", Sops(), ["AGE-SECRET-KEY-ONE"]
    path.write_text("cluster: {id: ENC}\nsops: {version: 3.9.0}\n")
    bundle = SecretsBundle(path, sops, lambda: Secret(key[0]))

    def seen() -> str:
        return str(bundle.load()["cluster"]["id"])

    assert (seen(), seen(), sops.opened) == ("cluster.id 1", "cluster.id 1", 1)
    key[0] = "AGE-SECRET-KEY-TWO"
    assert (seen(), seen()) == ("cluster.id 2",) * 2
    path.write_text("cluster: {id: ENC2}\nsops: {version: 3.9.0}\n")
    assert (seen(), seen()) == ("cluster.id 3",) * 2
    before = path.read_text()
    path.write_text("cluster: {id: ENC3}\nsops: {version: 3.9.0}\n")
    sops.meanwhile = lambda: path.write_text(before)
    assert (seen(), seen()) == ("cluster.id 4", "cluster.id 3"), "what was put there meanwhile is not what was opened"
    path.unlink()
    with pytest.raises(BundleUnusable, match="is missing"):
        bundle.load()
