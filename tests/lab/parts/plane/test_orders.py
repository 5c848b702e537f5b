"""What the cluster's own thread is told to do may fail in any way that a program can: it goes on, and tells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed, ProgramMissing
from lab.parts.settings import Settings
from tests.lab.parts.bench import free_block


@pytest.mark.parametrize("failure", [
    PartFailed("etcd is not restored"), ProgramMissing("no etcdutl"), OSError("no space left"),
    subprocess.TimeoutExpired("etcdutl", 60.0),
], ids=lambda one: type(one).__name__)  # fmt: skip
def test_an_order_that_fails_keeps_no_later_one_from_being_done(tmp_path: Path, failure: Exception) -> None:
    def fail() -> None:
        raise failure

    with free_block() as prefix:
        cluster = LabCluster(Settings(tmp_path, prefix))
        cluster.start()
        try:
            cluster.order(fail)
            cluster.obey(30.0)
        finally:
            cluster.down()
    assert [told for told in cluster.errors if "an order failed" in told and str(failure) in told]
