"""The same backups behind three doors: in process, restic on a local path, restic on the S3 door. Each bench makes the same places.

Places: `notes` (two snapshots of FIRST and SECOND), `empty` (a repository without snapshots), `damaged` (its indexes are gone),
`keyless` (its keys are gone), `beheaded` (its config is gone), `foreign` (kopia's), `missing` (nothing), `locked` (as notes, with
a lock file that is garbage); `broken-off` and `packless` are as notes, for a test to damage.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Repository, RepositoryLock
from adapters.kubernetes.client import Clients
from adapters.locks.adapter import ResticLocks
from adapters.locks.port import Locks
from adapters.ports import BackupsView
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from adapters.volsync.results import FileEntry
from engine.secrets import Secret
from house.model import SecretRef
from lab.ports.stores.backups import ModelledBackups
from lab.ports.stores.locks import ModelledLocks
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.cluster.kubernetes import KubeWorld
from lab.world.faults import Faults
from lab.world.machines.talos import TalosWorld
from lab.world.store import Store, Trouble, a_file
from lab.world.world import World
from tests.builders import a_house
from tests.proof.sealing import cheapen

BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"
PASSWORD = "a-long-repository-password"
SECRET_KEY = "the-secret-key-of-the-store"
FIRST = {"settings.ini": "colour = blue\n"}
SECOND = {"settings.ini": "colour = green\n", "notes/one two.txt": "first note\n", "notes/ümläut.txt": "second note\n"}
FIRST_AT, SECOND_AT = 1_790_000_000.0, 1_790_086_400.0
ENVIRONMENT = {"PASSWORD": PASSWORD, "WRONG": "not-the-password", "KEY_ID": "LABKEYID", "KEY": SECRET_KEY}
GARBAGE = "ab" * 32
UID, GID = os.getuid(), os.getgid()


class RealClock:
    """The machine's own time, moved forward so that what was made just now is old."""

    ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return self.now()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("no look sleeps")


@dataclass
class Bench:
    """One door: the port, how a place is addressed, and what can be done to it."""

    name: str
    backups: BackupsView
    locks: Locks
    at: Callable[[str], Repository]
    unreachable: Callable[[], Repository]
    wrong_password: Callable[[Repository], Repository]
    argv: list[tuple[str, ...]]
    state: Callable[[], object]
    objects: ObjectStore | None = None


def entries(content: dict[str, str]) -> tuple[FileEntry, ...]:
    """What a list of these files holds, folders included."""
    folders = {str(parent) for path in content for parent in Path(path).parents if str(parent) != "."}
    listed = [FileEntry(folder, "dir", 0, 0o755, UID, GID) for folder in folders]
    listed += [a_file(path, text, uid=UID, gid=GID) for path, text in content.items()]
    return tuple(sorted(listed, key=lambda entry: entry.path))


def modelled() -> Bench:
    """The in-process door on the World's store."""
    clock = RealClock()
    store, world = Store(), World(clock)
    store.back_up("notes", entries(FIRST), FIRST_AT)
    store.back_up("notes", entries(SECOND), SECOND_AT)
    store.back_up("locked", entries(FIRST), FIRST_AT)
    store.back_up("locked", entries(SECOND), SECOND_AT)
    store.make("empty")
    for name, trouble in (
        ("damaged", Trouble.DAMAGED),
        ("keyless", Trouble.DAMAGED),
        ("beheaded", Trouble.DAMAGED),
        ("foreign", Trouble.FOREIGN),
        ("refused", Trouble.REFUSED),
        ("unreachable", Trouble.UNREACHABLE),
    ):
        store.make(name).trouble = trouble
    ref = SecretRef(("env:PASSWORD",))

    def at(name: str) -> Repository:
        return Repository(name, name, ref)

    backups = ModelledBackups(store, world)
    locks = ModelledLocks(store, KubeWorld(world, TalosWorld(world), a_house(), store))
    store.repositories["locked"].locks[GARBAGE] = RepositoryLock(GARBAGE, 0.0, "", garbage=True, written=clock.now())
    return Bench(
        "modelled", backups, locks, at, lambda: at("unreachable"), lambda _: at("refused"), [],
        lambda: repr(store.repositories),
    )


@contextmanager
def local(folder: Path) -> Iterator[Bench]:
    """Real restic on folders of this machine."""
    with _restic(folder) as (backups, locks, argv, keeper):
        files = folder / "repositories"
        make_places(keeper, files, folder / "work")

        def at(name: str) -> Repository:
            return Repository(name, str(files / name), SecretRef(("env:PASSWORD",)))

        def unreachable() -> Repository:
            return at("../not-mounted/notes")

        yield Bench("local", backups, locks, at, unreachable, _with_wrong_password, argv, lambda: _files(files))


@contextmanager
def s3(folder: Path) -> Iterator[Bench]:
    """Real restic and boto3 on the S3 door; the repositories were put there as files, to spare time."""
    authority = LabCA(folder / "ca")
    objects = ObjectStore(folder / "s3")
    objects.make_bucket("backups")
    key = AccessKey("LABKEYID", Secret(SECRET_KEY))
    context = authority.server("s3", "127.0.0.1").context()
    door = S3Door(objects, (key,), context, Faults()).start()
    try:
        with _restic(folder) as (backups, locks, argv, keeper):
            files = folder / "s3" / "buckets" / "backups"
            make_places(keeper, files, folder / "work")
            environment = (
                ("AWS_ACCESS_KEY_ID", SecretRef(("env:KEY_ID",))),
                ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:KEY",))),
            )

            def at(name: str) -> Repository:
                address = f"s3:{door.url}/backups/{name}"
                return Repository(name, address, SecretRef(("env:PASSWORD",)), environment, str(authority.ca_file))

            def unreachable() -> Repository:
                return replace(at("notes"), address=f"s3:https://127.0.0.1:{closed_port()}/backups/notes")

            yield Bench("s3", backups, locks, at, unreachable, _with_wrong_password, argv, lambda: _files(files), objects)
    finally:
        door.close()


def make_places(keeper: Keeper, base: Path, work: Path) -> None:
    """All places as folders below `base`: one repository made by restic, the others are copies with something done to them."""
    base.mkdir(parents=True, exist_ok=True)
    env = {"RESTIC_REPOSITORY": str(base / "empty"), "RESTIC_PASSWORD": PASSWORD}
    keeper.run(["restic", "init", "--no-cache"], env=env, timeout_s=60)
    cheapen(base / "empty", PASSWORD)
    shutil.copytree(base / "empty", base / "notes")
    env["RESTIC_REPOSITORY"] = str(base / "notes")
    for content, moment in ((FIRST, "2026-09-21 14:13:20"), (SECOND, "2026-09-22 14:13:20")):
        for path, text in content.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).parent.chmod(0o755)  # whatever the umask
            (work / path).write_text(text)
            (work / path).chmod(0o644)
        argv = ["restic", "backup", "--no-cache", "--host", "volsync", "--time", moment, "."]
        keeper.run(argv, env=env, cwd=work, timeout_s=60)
    lost = {"damaged": "index", "keyless": "keys", "beheaded": "config"}
    for name in (*lost, "locked", "broken-off", "packless"):
        gone = lost.get(name, "")
        shutil.copytree(base / "notes", base / name)
        if gone == "config":
            (base / name / gone).unlink()
        elif gone:
            for file in (base / name / gone).iterdir():
                file.unlink()
    for file in (base / "damaged" / "snapshots").iterdir():
        file.write_bytes(file.read_bytes()[:-7])
    (base / "locked" / "locks" / GARBAGE).write_bytes(b"not even a lock")
    (base / "foreign").mkdir()
    (base / "foreign" / "kopia.repository.f").write_text("{}")


@contextmanager
def _restic(folder: Path) -> Iterator[tuple[BackupsView, Locks, list[tuple[str, ...]], Keeper]]:
    argv: list[tuple[str, ...]] = []
    with Keeper(folder / "state", search=(BIN,), on_argv=argv.append) as keeper:
        openings = Openings(Secrets(keeper, folder, None, ENVIRONMENT))
        nobody = Clients(a_house(state_dir=folder))  # no cluster is behind these doors
        yield ResticBackups(keeper, openings, RealClock()), ResticLocks(openings, nobody, RealClock()), argv, keeper


def _with_wrong_password(repository: Repository) -> Repository:
    return replace(repository, password=SecretRef(("env:WRONG",)))


def _files(base: Path) -> object:
    return {path: path.stat().st_mtime_ns for path in base.rglob("*") if path.is_file()}


def closed_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
