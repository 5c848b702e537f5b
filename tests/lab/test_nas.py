"""A house of the lab that has a NAS: the real `invoke cluster.verify` asks it over TLS, and named faults turn its own rows red."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab.troubles.nas import NAS_FAULTS
from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]
PLAYED = (
    ("nas-key-expired",), ("nas-share-empty",),
    ("nas-pool-degraded", "nas-scrub-errors", "nas-dataset-locked", "nas-nfs-stopped"),
)  # fmt: skip
"""Those played together hide nothing of each other; one by one all are, in the modelled house:
tests/scenario/faults/test_nas.py."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    needed("talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver")
    with Bench.of("one-node-nas", tmp_path_factory.mktemp("nas")) as bench:
        yield bench


def rows(bench: Bench) -> dict[str, str]:
    """The rows of the NAS in a verify of a house that was never built, with how each ended."""
    told = bench.run("cluster.verify").result["steps"]
    return {row["id"]: row["outcome"] for row in told if row["id"].startswith(("storage.nas/", "nas."))}


def test_a_nas_in_order_is_seen_and_named_faults_turn_their_own_rows_red(bench: Bench) -> None:
    assert set(rows(bench).values()) == {"ok"}
    for names in PLAYED:
        for name in names:
            bench.ask("trouble", name=name, target="")
        red = {name for name, outcome in rows(bench).items() if outcome == "failed"}
        for name in names:
            bench.ask("trouble", name=name, target="", end=True)
        assert red == {row for name in names for row in NAS_FAULTS[name].ids("nas")}, names
    assert set(rows(bench).values()) == {"ok"}


def test_one_whose_vm_is_off_is_one_red_row_and_a_look_starts_nothing(bench: Bench) -> None:
    bench.ask("trouble", name="nas-vm-off", target="")
    for _ in range(2):
        assert {name for name, outcome in rows(bench).items() if outcome == "failed"} == {"nas.start/nas"}
    bench.ask("trouble", name="nas-vm-off", target="", end=True)
    deadline = time.monotonic() + 90
    while (told := set(rows(bench).values())) != {"ok"}:
        assert time.monotonic() < deadline, told
