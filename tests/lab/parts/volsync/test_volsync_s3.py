"""The way of the sample house: an application as user 1000, its backup in the S3 door over TLS, restored with file deletion."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.secrets import Secret
from lab.parts.kube import CLAIMS, CONFIG_MAPS, DESTINATIONS, PODS, SECRETS, SOURCES, Object
from lab.parts.pods.images import APPLICATION_IMAGE
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, listing

pytestmark = pytest.mark.programs
WHO = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}


class Store:
    """The S3 door, and what a namespace needs to use it."""

    def __init__(self, door: S3Door, ca_file: Path) -> None:
        self._door = door
        self._ca_file = ca_file

    def introduce(self, bench: Bench) -> str:
        """A namespace with the repository's Secret and the authority."""
        space = bench.namespace()
        secret = objects.repository(space, "repository", "")
        secret["stringData"] |= {
            "RESTIC_REPOSITORY": f"s3:{self._door.url}/backups/notes",
            "AWS_ACCESS_KEY_ID": "KEY",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-key",
        }
        meta = {"name": "ca", "namespace": space}
        bench.kube.apply(SECRETS, secret)
        data = {"ca.crt": self._ca_file.read_text()}
        bench.kube.apply(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        return space

    def used(self, item: Object) -> Object:
        """The source or destination, by way of this store and as user 1000."""
        restic = item["spec"]["restic"]
        del restic["moverVolumes"]
        restic |= {"customCA": {"configMapName": "ca", "key": "ca.crt"}, "moverSecurityContext": WHO}
        return item


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    authority = LabCA(tmp_path / "ca")
    kept = ObjectStore(tmp_path / "s3")
    kept.make_bucket("backups")
    key = AccessKey("KEY", Secret("secret-of-the-key"))
    door = S3Door(kept, (key,), authority.server("s3", "127.0.0.1").context(), Faults()).start()
    yield Store(door, authority.ca_file)
    door.close()


def application(space: str) -> Object:
    pod = objects.pod(space, "app", "data", image=APPLICATION_IMAGE, arguments=("/data", "12"))
    pod["spec"]["securityContext"] = WHO
    return pod


def test_an_application_s_data_come_back_from_the_store(bench: Bench, store: Store) -> None:
    kube, before = bench.kube, store.introduce(bench)
    kube.apply(CLAIMS, objects.claim(before, "data"))
    kube.apply(PODS, application(before))
    volume = bench.wait_bound(before, "data")
    bench.until(lambda: (volume / "library-4" / "item-11.bin").exists(), "the application's data")
    kube.apply(SOURCES, store.used(objects.source(before, "app", "data", "repository", "first")))
    assert bench.wait_saved(before, "app", "first")["latestMoverStatus"]["result"] == "Successful"

    after = store.introduce(bench)
    kube.apply(
        DESTINATIONS, store.used(objects.destination(after, "app", "repository", "once", enableFileDeletion=True))
    )
    kube.apply(CLAIMS, objects.claim(after, "data", populated_by="app"))
    kube.apply(PODS, application(after))
    status = bench.wait_restored(after, "app", "once")
    assert status["latestMoverStatus"]["result"] == "Successful"
    assert "restoring snapshot" in status["latestMoverStatus"]["logs"]
    restored = bench.wait_bound(after, "data")
    bench.wait_ready(after, "app")
    # With fsGroup a kubelet opens the volume to the group at every mount: the application's second mount changed the modes.
    assert {k: (v[0], v[1], v[3]) for k, v in listing(restored).items()} == {
        k: (v[0], v[1], v[3]) for k, v in listing(volume).items()
    }
    if os.geteuid() == 0:
        assert {owner for owner, *_ in listing(restored).values()} == {1000}
