"""The house of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import EXIT_OK
from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench

PROGRAMS = (
    "talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync", "volsync-mover",
    "helm-controller",
)  # fmt: skip


@pytest.fixture(scope="package")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house that was built, restored and released."""
    needed(*PROGRAMS)
    with Bench.of("one-node", tmp_path_factory.mktemp("lived-in"), scenario="hosts-lost") as bench:
        bench.converge("cluster.bootstrap")
        assert bench.run("dr.restore").code == EXIT_OK
        yield bench
