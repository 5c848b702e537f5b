"""What it takes to prove a restored image byte by byte in the lab, against `sha256sum` of every file in a pod like it.

Run it with `python -m bench.proof [MIB FILES FOLDERS]`; without numbers 2 GiB in 20,000 files and 1,000 folders. VolSync backs a
volume up into the lab's S3 door and restores it; then the image is held against the snapshot. Needs the lab's programs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from adapters.backups.repository.indexes import read_index
from adapters.backups.repository.sealed import MasterKey, master_key
from adapters.backups.repository.trees import walk
from adapters.backups.stores.local import LocalPlace
from adapters.backups.stores.places import S3Address
from adapters.backups.stores.s3 import S3Clients, S3Credentials, S3Place
from adapters.kubernetes.client import Clients
from adapters.kubernetes.objects import Obj
from adapters.volsync.contents import Reader
from adapters.volsync.mover import mover_of
from adapters.volsync.reader import Request
from adapters.volsync.readerjob import Asked
from adapters.volsync.results import Listing, Snapshot
from bench.table import Table
from engine.garbage import settle
from engine.secrets import Secret
from engine.waiting import SystemClock
from engine.workers import Threads
from lab.parts.kube import CLAIMS, CONFIG_MAPS, DESTINATIONS, PODS, SECRETS, SNAPSHOTS, SOURCES, Object
from lab.parts.objects.manifests import install_storage, install_volsync
from lab.parts.pods.images import MOVER_IMAGE
from lab.parts.settings import Settings
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import MAIN, ObjectStore
from lab.world.faults import Faults
from recovery.compared.against import side_by_side
from recovery.compared.comparison import Comparison, compare
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, control_planes, free_block, running_cluster

MIB = 1 << 20
PASSWORD, KEY_ID, KEY = "correct horse", "KEY", "secret-of-the-key"
MOST_TIMES_SHA256SUM = 1.5
LONG_S = 1800.0
AT = "127.0.0.9"
"""Of the store: no pod's own loopback, which a fenced pod has for itself."""
_SUMS = "cd /data && echo 'o known' && find . -type f -print0 | xargs -0 sha256sum > /tmp/sums && echo 'end 0 0'"
_NOTHING = "echo 'o known' && echo 'end 0 0'"
T = TypeVar("T")


@dataclass(frozen=True)
class Load:
    """What the volume holds: so many bytes in so many files, spread over so many folders."""

    size: int = 2048 * MIB
    files: int = 20_000
    folders: int = 1_000

    def __str__(self) -> str:
        return f"{self.size // MIB} MiB, {self.files} files, {self.folders} folders"

    def fill(self, volume: Path) -> None:
        """Write it: random bytes, so that nothing is stored once for two files."""
        each = self.size // self.files
        for number in range(self.files):
            folder = volume / f"{number % self.folders // 50:02}" / f"{number % self.folders:04}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"file {number:06}").write_bytes(os.urandom(each))


def key_of(place: LocalPlace, password: Secret) -> MasterKey:
    """The key of the repository that lies here."""
    return master_key([content for _, content in place.read(f"keys/{name}" for name in place.names("keys"))], password)


def data_packs(place: LocalPlace, key: MasterKey) -> set[str]:
    """The packs in it that hold files' bytes: whoever looks at lists alone reads none of them."""
    files = place.read(f"index/{name}" for name in place.names("index"))
    index = read_index(key, ((name.partition("/")[2], content) for name, content in files))
    return {blob.pack for blob in index.blobs.values() if blob.kind == "data"}


class CountingStore(ObjectStore):
    """Objects that count how often each was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: Counter[str] = Counter()

    def read(self, bucket: str, key: str, phrase: str = MAIN) -> bytes:
        """See ObjectStore.read."""
        self.reads[key] += 1
        return super().read(bucket, key, phrase)


@dataclass
class Rig:
    """A cluster with VolSync, a store that counts, and the reader that a run has.

    `once_backed_up` is told the repository's folder before anything is read of it.
    """

    bench: Bench
    store: CountingStore
    door: S3Door
    ca_file: Path
    folder: Path
    reader: Reader
    clients: Clients
    space: str = ""
    once_backed_up: Callable[[Path], None] | None = None
    s3: S3Clients = field(default_factory=S3Clients)

    def restored(self, load: Load) -> str:
        """Fill a volume, have it backed up and restored; answers the image's name."""
        bench, kube = self.bench, self.bench.kube
        self.space = bench.namespace(privileged=True)
        secret = objects.repository(self.space, "repository", "")
        address = {"RESTIC_REPOSITORY": f"s3:{self.door.url}/backups/notes", "AWS_ACCESS_KEY_ID": KEY_ID}
        secret["stringData"] |= address | {"AWS_SECRET_ACCESS_KEY": KEY}
        kube.apply(SECRETS, secret)
        meta = {"name": "ca", "namespace": self.space}
        data = {"ca.crt": self.ca_file.read_text()}
        kube.apply(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        kube.apply(CLAIMS, objects.claim(self.space, "data"))
        kube.apply(PODS, objects.pod(self.space, "app", "data"))
        load.fill(bench.wait_bound(self.space, "data"))
        kube.apply(SOURCES, _used(objects.source(self.space, "app", "data", "repository", "first")))
        self._wait(lambda: bench.status(SOURCES, self.space, "app").get("lastManualSync") == "first", "the backup")
        if self.once_backed_up is not None:
            self.once_backed_up(self.local.path)
        kube.apply(DESTINATIONS, _used(objects.destination(self.space, "app", "repository", "once")))
        self._wait(lambda: bench.status(DESTINATIONS, self.space, "app").get("lastManualSync") == "once", "the restore")
        image = str(bench.status(DESTINATIONS, self.space, "app")["latestImage"]["name"])
        # VolSync names its image once it is bound; a storage that copies takes longer to have it ready.
        self._wait(lambda: bench.status(SNAPSHOTS, self.space, image).get("readyToUse") is True, "the image")
        return image

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        self.bench.until(done, what, LONG_S)

    @property
    def local(self) -> LocalPlace:
        """The repository as it lies behind the door: what is read here is not counted."""
        return LocalPlace(self.folder / "s3" / "buckets" / "backups" / "notes")

    def snapshot(self) -> Snapshot:
        """The only one."""
        key, place = self._key(), self.local
        (snapshot,) = place.names("snapshots")
        ((_, sealed),) = place.read(["config"])
        return Snapshot(str(json.loads(key.unpacked(sealed))["id"]), snapshot)

    def _key(self) -> MasterKey:
        return key_of(self.local, Secret(PASSWORD))

    def data_packs_read(self) -> int:
        """How many packs that hold a file's data were read at the door since the count began."""
        data = data_packs(self.local, self._key())
        return sum(count for key, count in self.store.reads.items() if key.rpartition("/")[2] in data)

    def listing(self, snapshot: Snapshot) -> Listing:
        """The snapshot's list, out of its trees, through the door."""
        credentials = S3Credentials(KEY_ID, Secret(KEY), ca_file=str(self.ca_file))
        place = S3Place(self.s3.get(self.door.url, credentials), S3Address(self.door.url, "backups", "notes"))
        walked = walk(place, Secret(PASSWORD), snapshot.snapshot_id, Threads())
        return Listing(walked.entries, complete=not walked.broken, detail=walked.broken, downloaded=walked.read_bytes)

    def proof(self, image: str) -> Comparison:
        """What the step does: the list, the Job, the comparison."""
        snapshot = self.snapshot()
        asked = partial(self.reader.compare, self.space, image, "app", snapshot)
        return compare(*side_by_side(partial(self.listing, snapshot), asked))

    def sums(self, image: str, *, empty: bool = False) -> None:
        """A pod like the proof's in which every file is read by `sha256sum`, or nothing is done at all (`empty`)."""
        mover = mover_of(self.clients.main(), self.space, "app")
        asked = _Bare(image, self.reader.volume(self.space, image), Request(int(empty)), MOVER_IMAGE, mover.identities[0], mover)
        reading = self.reader.run(self.space, asked)
        if not reading.ended:
            raise RuntimeError("the pod that sums the files did not end well")


class _Bare(Asked):
    """The same Job with another command."""

    def job(self) -> Obj:
        made = super().job()
        container = made["spec"]["template"]["spec"]["containers"][0]
        container["command"] = ["sh", "-c", _NOTHING if self.request.skip else _SUMS]
        return made


def _used(item: Object) -> Object:
    """The source or destination, by way of the store."""
    restic = item["spec"]["restic"]
    del restic["moverVolumes"]
    restic["customCA"] = {"configMapName": "ca", "key": "ca.crt"}
    return item


@contextmanager
def rig(bench: Bench, folder: Path) -> Iterator[Rig]:
    """A store beside this cluster, and the adapters on it; `folder` is this rig's own."""
    authority = LabCA(folder / "ca")
    store = CountingStore(folder / "s3")
    store.make_bucket("backups")
    key = AccessKey(KEY_ID, Secret(KEY))
    door = S3Door(store, (key,), authority.server("s3", AT).context(), Faults(), address=AT).start()
    access, (node,) = bench.kube.access, list(bench.cluster.machines)
    plane = bench.cluster.control_plane(node)
    admin = {"client-certificate": str(access.certificate), "client-key": str(access.key)}
    cluster = {"server": plane.server, "certificate-authority": str(access.authority)}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "clusters": [{"name": "lab", "cluster": cluster}], "users": [{"name": "lab", "user": admin}],
    }  # fmt: skip
    (folder / "admin.json").write_text(json.dumps(config))
    (folder / "state").mkdir()
    servers = ApiServers((plane.address,), folder / "admin.json", bench.cluster.keys_of(node).kubernetes)
    clients = Clients(house_on(servers, folder / "state"))
    try:
        yield Rig(bench, store, door, authority.ca_file, folder, Reader(clients, SystemClock()), clients)
    finally:
        clients.close()
        door.close()


@contextmanager
def cluster(folder: Path) -> Iterator[Bench]:
    """A cluster of one machine with VolSync."""
    with free_block() as prefix:
        settings = Settings(folder / "lab", prefix)
        with running_cluster(settings, control_planes(prefix, 1)) as made:
            install_volsync(made.kube)
            install_storage(made.kube)
            bench = Bench(made, folder, LabCA(folder / "servers"))
            bench.wait_deployed("volsync-system", "volsync")
            bench.wait_deployed("kube-system", "snapshot-controller")
            yield bench


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds that it took, and its answer."""
    began = time.perf_counter()
    answer = act()
    return time.perf_counter() - began, answer


@contextmanager
def standing() -> Iterator[Rig]:
    """A rig beside a cluster of its own; nothing of either is left."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, cluster(Path(name)) as bench:
        folder = Path(name) / "rig"
        folder.mkdir()
        with rig(bench, folder) as made:
            yield made


def add_gaps(table: Table, load: Load, results: Iterable[Comparison], data_reads: int, during: str) -> None:
    """What comparisons left out, and what of the data they fetched from the store although the image has them."""
    left = sum(load.files - result.files + len(result.differences) for result in results)
    table.add("files not compared to the last byte", left, "", 0)
    table.add(f"reads of data packs at the door during the {during}", data_reads, "", 0)


def measure(load: Load, table: Table) -> None:
    """Restore once, prove and sum once each, and fill the table."""
    with standing() as made:
        image = made.restored(load)
        idle, _ = timed(lambda: made.sums(image, empty=True))
        sums, _ = timed(lambda: made.sums(image))
        made.store.reads.clear()
        took, result = timed(lambda: made.proof(image))
        table.add("a pod like it that does nothing (copy of the image, start, log)", idle, "s", note=str(load))
        table.add("sha256sum of every file in such a pod", sums, "s")
        table.add("the proof: list, Job, comparison", took, "s", note=result.depth)
        table.add("proof / sha256sum, both with their pods", took / sums, "x", MOST_TIMES_SHA256SUM)
        table.add("proof / sha256sum, both without", (took - idle) / max(sums - idle, 0.001), "x", MOST_TIMES_SHA256SUM)
        add_gaps(table, load, [result], made.data_packs_read(), "proof")


def run(name: str, measured: Callable[[Load, Table], None], words: list[str]) -> int:
    """Measure with the load that these words give, tell, answer the exit code."""
    mib, files, folders = (int(word) for word in words) if words else (2048, 20_000, 1_000)
    table = Table(name)
    settle()  # as a verb does whose imports are done
    measured(Load(mib * MIB, files, folders), table)
    return table.tell()


if __name__ == "__main__":
    sys.exit(run("proof", measure, sys.argv[1:]))
