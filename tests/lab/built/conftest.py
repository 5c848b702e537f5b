"""The house of this folder: it takes longer to build than most of what is looked at in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench
from tests.lab.built.named import built


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house that was built, with a backup that its lock file knows; the store as it was lies in `store-before`.

    That nothing is red in it is seen by whoever comes first: each test names all rows that are.
    """
    needed("talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync")
    with Bench.of("four-nodes", tmp_path_factory.mktemp("built"), scenario="hosts-lost", warm=True) as bench:
        built(bench)
        yield bench
