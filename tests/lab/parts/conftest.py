"""One cluster with VolSync for the whole folder, one backup made in it, one namespace per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.parts.kube import CLAIMS, PODS, SECRETS, SOURCES, Object
from lab.parts.objects.manifests import install_storage, install_volsync
from lab.parts.settings import Settings
from lab.wire.pki import LabCA
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, control_planes, free_block, listing, need_programs, running_cluster
from tests.proof.sealing import cheapen


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cluster of one machine with VolSync, snapshot-controller and storage."""
    need_programs()
    root = tmp_path_factory.mktemp("lab")
    nas = root / "nas"
    nas.mkdir(mode=0o777)
    nas.chmod(0o777)
    with free_block() as prefix:
        authority = LabCA(root / "servers")
        trust = (("SSL_CERT_FILE", str(authority.ca_file)),)
        settings = Settings(root, prefix, exports={"nas.lab:/backups": nas}, environment=trust)
        with running_cluster(settings, control_planes(prefix, 1)) as cluster:
            install_volsync(cluster.kube)
            install_storage(cluster.kube)
            bench = Bench(cluster, nas, authority)
            bench.wait_deployed("volsync-system", "volsync")
            bench.wait_deployed("kube-system", "snapshot-controller")
            yield bench


@dataclass(frozen=True)
class Backup:
    """A backup that VolSync made: where, of what, and what VolSync says of it."""

    folder: str
    content: dict[str, tuple[int, int, int, str]]
    status: Object


@pytest.fixture(scope="package")
def backup(bench: Bench) -> Backup:
    """Files of several owners and modes, backed up by a real ReplicationSource into the NAS's folder `good`."""
    space = bench.namespace(privileged=True)
    kube = bench.kube
    kube.apply(SECRETS, objects.repository(space, "repository", "good"))
    kube.apply(CLAIMS, objects.claim(space, "data"))
    kube.apply(PODS, objects.pod(space, "app", "data"))
    volume = bench.wait_bound(space, "data")
    _fill(volume)
    kube.apply(SOURCES, objects.source(space, "app", "data", "repository", "first"))
    status = bench.wait_saved(space, "app", "first")
    cheapen(bench.nas / "good", objects.PASSWORD)
    for path in (
        bench.nas / "good",
        *(bench.nas / "good").rglob("*"),
    ):  # else only root may read the repository's files
        path.chmod(0o777 if path.is_dir() else 0o644)
    return Backup("good", listing(volume), status)


def _fill(volume: Path) -> None:
    (volume / "photos").mkdir(mode=0o750)
    for name, owner, mode in (("photos/one", 1000, 0o640), ("photos/two", 2000, 0o644), ("secret", 0, 0o600)):
        (volume / name).write_bytes(os.urandom(3000))
        (volume / name).chmod(mode)
        if os.geteuid() == 0:
            os.chown(volume / name, owner, owner)
