"""The Etcd port: snapshots through talosctl, into files that are looked at as they lie there. Knows no step."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from adapters.etcd.reading import look_at
from adapters.etcd.results import EtcdSnapshot
from adapters.etcd.sealed import ENDING, NOTE, PART, Sealing, noted
from adapters.process.results import Runner
from adapters.talos.paths import TalosFiles
from adapters.talos.talosctl import ACT_S, Talosctl
from engine.errors import PermanentError, TransientError
from engine.files.content import entries_of
from engine.files.durable import sync_folder
from engine.files.whole import put_in_place
from engine.text.ages import to_come, within

DATABASE = "/var/lib/etcd/member/snap/db"
MOVE_S = 900.0
"""How long a database of some gigabytes may take to come over, or to go."""
SNAPSHOT = ".snapshot"
KEPT = 30
"""How many snapshots the state folder keeps where the settings do not say: ten daily ones at the least, for each of three control
planes may write its own."""
_LEFT_S = 3600.0
"""What a killed process left half-written, or opened, is nobody's any more after this."""
_OURS = re.compile(rf".+-\d{{8}}-\d{{6}}{re.escape(SNAPSHOT)}({re.escape(ENDING)})?")


class TalosEtcd:
    """See adapters.etcd.port. `kubernetes_ca` answers our Kubernetes CA's certificate ("" when it is not known); `keep` is how many
    snapshots of ours stay. What is taken is sealed where `sealing` wants it; a copy off a disk is made in need, and is not.
    """

    def __init__(
        self, state_dir: Path, runner: Runner, kubernetes_ca: Callable[[], str], sealing: Sealing, *, keep: int = KEPT
    ) -> None:
        self._folder = state_dir / "etcd"
        self._talosctl = Talosctl(runner, TalosFiles(state_dir).talosconfig)
        self._authority = kubernetes_ca
        self._sealing, self._keeps = sealing, keep
        self._read: dict[tuple[Path, bool], tuple[tuple[int, ...], EtcdSnapshot | None]] = {}

    def kept(self) -> tuple[EtcdSnapshot, ...]:
        """See EtcdView."""
        found = [(path.name, self._seen(path, by_note=True)) for path in entries_of(self._folder) if not _beside(path)]
        authority = self._authority().strip() if found else ""
        return tuple(_judged(one, name, authority) for name, one in found)

    def look(self, path: str) -> EtcdSnapshot:
        """See EtcdView. A name without a folder is one of the state folder's."""
        return _judged(self._seen(self._path(path)), path, self._authority().strip())

    def take(self, address: str, name: str) -> str:
        """See Etcd. talosctl itself compares the hash as it comes in, and looks through the pages."""
        part = self._fresh(name)
        try:
            what = f"take a snapshot of etcd through {address}"
            self._talosctl.call(address, what, "etcd", "snapshot", str(part), timeout_s=MOVE_S)
            name = self._keep_sealed(part, name) if self._sealing.wanted else self._keep(part, name)
            self._thin_out(name)
        finally:
            part.unlink(missing_ok=True)
        return name

    def copy(self, address: str, name: str) -> None:
        """See Etcd."""
        part = self._fresh(name)
        part.mkdir(mode=0o700)
        try:
            self._talosctl.call(address, f"copy etcd's database off {address}", "copy", DATABASE, str(part), timeout_s=MOVE_S)
            found = [path for path in part.rglob("db") if path.is_file()]
            if len(found) != 1:
                raise TransientError(f"{address} sent no database", evidence=tuple(path.name for path in part.rglob("*")))
            self._keep(found[0], name)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def wipe(self, address: str) -> None:
        """See Etcd. Not graceful: it would wait for an etcd that cannot answer. Data disks are left out by name besides."""
        whole = ("--graceful=false", "--reboot", "--system-labels-to-wipe=EPHEMERAL", "--wipe-mode=system-disk", "--wait=false")
        self._talosctl.call(address, f"empty the EPHEMERAL partition of {address}", "reset", *whole, timeout_s=ACT_S)

    def recover(self, address: str, snapshot: EtcdSnapshot) -> None:
        """See Etcd. The node compares a hash only after it has answered; ours was compared when it was looked at."""
        path = self._path(snapshot.name)
        with self._plain(path) as plain:
            now = look_at(plain)  # all of it once more: a disk that forgets touches no file
            if now.problem or now.digest != snapshot.digest:
                why = tuple(filter(None, (now.problem,)))
                raise PermanentError(f"{snapshot.name} is not the file that was looked at", evidence=why)
            skip = () if snapshot.hashed else ("--recover-skip-hash-check",)
            what = f"recover etcd on {address} from {path.name}"
            self._talosctl.call(address, what, "bootstrap", f"--recover-from={plain}", *skip, timeout_s=MOVE_S)

    @contextmanager
    def _plain(self, path: Path) -> Iterator[Path]:
        """The file, or what is sealed in it for as long as it is needed."""
        if path.suffix != ENDING:
            yield path
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clear()
        with self._sealing.opened(path, self._folder) as plain:
            yield plain

    def _thin_out(self, new: str) -> None:
        """Let the oldest of our snapshots go, and never the new one. Copies off disks stay, as does what a person named: those were
        made in need. So does what is dated later than now: this clock was ahead, or is behind, and nobody knows which is older."""
        taken = [(path, path.stat().st_mtime) for path in self._folder.iterdir() if _OURS.fullmatch(path.name) and path.name != new]
        past = sorted((at, path) for path, at in taken if not to_come(at, time.time()))
        for _, path in past[: max(0, len(past) + 1 - self._keeps)]:
            path.unlink()
            path.with_name(f"{path.name}{NOTE}").unlink(missing_ok=True)

    def _clear(self) -> None:
        """What a process that was killed left half-written or opened: it is all of the cluster, in the clear."""
        for path in self._folder.glob(f"*{PART}"):
            with suppress(FileNotFoundError):  # another process was at it, and is through
                if not within(path.stat().st_mtime, time.time(), _LEFT_S):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _path(self, name: str) -> Path:
        return Path(name) if "/" in name else self._folder / name

    def _seen(self, path: Path, *, by_note: bool = False) -> EtcdSnapshot:
        """What is in the file; read again once it is another one or was touched, for all of them are gigabytes. `by_note`: of one
        that is sealed, and still as it was then, its note is enough."""
        try:
            there = path.stat()
        except OSError:
            return look_at(path)
        mark = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
        key = path, by_note and path.suffix == ENDING
        before, seen = self._read.get(key, ((), None))
        if seen is None or before != mark:
            seen = (noted(path) if key[1] else None) or self._read_whole(path)
            if seen.written:  # else it could not be read, which may pass
                self._read[key] = mark, seen
        return seen

    def _read_whole(self, path: Path) -> EtcdSnapshot:
        if path.suffix != ENDING or not path.is_file():
            return look_at(path)
        try:
            with self._plain(path) as plain:
                return replace(look_at(plain), written=path.stat().st_mtime)
        except PermanentError as error:
            return EtcdSnapshot(str(path), f"it cannot be opened: {error.what}")

    def _fresh(self, name: str) -> Path:
        """Where it is written first, with nothing in its place: what broke off is never taken for one."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clear()
        part = self._folder / f"{name}{PART}"
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)
        return part

    def _keep_sealed(self, made: Path, name: str) -> str:
        """What was seen of it is noted as it is sealed; whether it opens again is told by the next look at it."""
        made.chmod(0o600)
        sealed = f"{name}{ENDING}"
        self._sealing.seal(made, self._folder / sealed, look_at(made))
        sync_folder(self._folder.parent)  # the folder may have been made for it
        return sealed

    def _keep(self, made: Path, name: str) -> str:
        """On the disk before anybody relies on it: what it was taken of may be wiped next."""
        made.chmod(0o600)
        put_in_place(made, self._folder / name)
        sync_folder(self._folder.parent)
        return name


def _judged(seen: EtcdSnapshot, name: str, authority: str) -> EtcdSnapshot:
    """The same by the name that it goes by, and whether its CA is ours."""
    return replace(seen, name=name, ours=bool(authority) and seen.authority.strip() == authority)


def _beside(path: Path) -> bool:
    """Whether it is what lies beside a file, and none itself."""
    return path.suffix in (PART, NOTE)
