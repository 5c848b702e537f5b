"""The house of this folder: it takes longer to build than most of what is looked at in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.contract.apiserver import needed
from tests.crash.wire.bench import Bench


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A house that was built, with a backup that its lock file knows; the store as it was lies in `store-before`.

    That nothing is red in it is seen by whoever comes first: each test names all rows that are.
    """
    needed("talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync")
    with Bench.of("four-nodes", tmp_path_factory.mktemp("built"), scenario="hosts-lost", warm=True) as bench:
        assert bench.run("dr.audit", "--lock").code == 0
        bench.converge("cluster.bootstrap")
        shutil.copytree(bench.folder.root / "store", bench.folder.root / "store-before")
        yield bench
