"""The house of this folder, built once: whoever looks at faults and whoever only needs a house share it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench
from tests.lab.lived_in.story import Story, lived_through

PROGRAMS = (
    "talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync", "volsync-mover",
    "helm-controller",
)  # fmt: skip


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house that runs, of bare hosts."""
    needed(*PROGRAMS)
    with Bench.of("one-node", tmp_path_factory.mktemp("lived-in"), scenario="hosts-lost", warm=True) as bench:
        yield bench


@pytest.fixture(scope="package")
def story(bench: Bench) -> Story:
    """It was built, restored and released, through all faults."""
    return lived_through(bench)


@pytest.fixture(scope="package")
def restored(bench: Bench, story: Story) -> Bench:
    """The house after that."""
    return bench
