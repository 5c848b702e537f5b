"""The Etcd port: snapshots through talosctl, into files that are looked at as they lie there. Knows no step."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adapters.etcd.reading import look_at
from adapters.etcd.results import EtcdSnapshot
from adapters.process.results import Runner
from adapters.talos.paths import TalosFiles
from adapters.talos.talosctl import ACT_S, Talosctl
from engine.durable import sync_file, sync_folder
from engine.errors import PermanentError, TransientError

DATABASE = "/var/lib/etcd/member/snap/db"
MOVE_S = 900.0
"""How long a database of some gigabytes may take to come over, or to go."""
_PART = ".part"
SNAPSHOT = ".snapshot"
KEPT = 30
"""How many snapshots the state folder keeps: ten daily ones at the least, for each of three control planes may write its own."""
_OURS = re.compile(rf".+-\d{{8}}-\d{{6}}{re.escape(SNAPSHOT)}")


class TalosEtcd:
    """See adapters.etcd.port. `kubernetes_ca` answers our Kubernetes CA's certificate ("" when it is not known)."""

    def __init__(self, state_dir: Path, runner: Runner, kubernetes_ca: Callable[[], str]) -> None:
        self._folder = state_dir / "etcd"
        self._talosctl = Talosctl(runner, TalosFiles(state_dir).talosconfig)
        self._authority = kubernetes_ca
        self._read: dict[Path, tuple[tuple[int, ...], EtcdSnapshot | None]] = {}

    def kept(self) -> tuple[EtcdSnapshot, ...]:
        """See EtcdView."""
        if not self._folder.is_dir():
            return ()
        found = [self._seen(path) for path in sorted(self._folder.iterdir()) if path.suffix != _PART]
        authority = self._authority().strip() if found else ""
        return tuple(_judged(one, Path(one.name).name, authority) for one in found)

    def look(self, path: str) -> EtcdSnapshot:
        """See EtcdView. A name without a folder is one of the state folder's."""
        return _judged(self._seen(self._path(path)), path, self._authority().strip())

    def take(self, address: str, name: str) -> None:
        """See Etcd. talosctl itself compares the hash as it comes in, and looks through the pages."""
        part = self._fresh(name)
        try:
            what = f"take a snapshot of etcd through {address}"
            self._talosctl.call(address, what, "etcd", "snapshot", str(part), timeout_s=MOVE_S)
            self._keep(part, name)
            self._thin_out()
        finally:
            part.unlink(missing_ok=True)

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
        now = look_at(path)  # all of it once more: a disk that forgets touches no file
        if now.problem or now.digest != snapshot.digest:
            why = tuple(filter(None, (now.problem,)))
            raise PermanentError(f"{snapshot.name} is not the file that was looked at", evidence=why)
        skip = () if snapshot.hashed else ("--recover-skip-hash-check",)
        what = f"recover etcd on {address} from {path.name}"
        self._talosctl.call(address, what, "bootstrap", f"--recover-from={path}", *skip, timeout_s=MOVE_S)

    def _thin_out(self) -> None:
        """Let the oldest of our snapshots go. Copies off disks stay, as does what a person named: those were made in need."""
        taken = [path for path in self._folder.glob(f"*{SNAPSHOT}") if _OURS.fullmatch(path.name)]
        for path in sorted(taken, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            path.unlink()

    def _path(self, name: str) -> Path:
        return Path(name) if "/" in name else self._folder / name

    def _seen(self, path: Path) -> EtcdSnapshot:
        """What is in the file, by its path; read again once it is another one or was touched, for all of them are gigabytes."""
        try:
            there = path.stat()
        except OSError:
            return look_at(path)
        mark = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
        before, seen = self._read.get(path, ((), None))
        if seen is None or before != mark:
            seen = look_at(path)
            if seen.written:  # else it could not be read, which may pass
                self._read[path] = mark, seen
        return seen

    def _fresh(self, name: str) -> Path:
        """Where it is written first, with nothing in its place: what broke off is never taken for one."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / f"{name}{_PART}"
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)
        return part

    def _keep(self, made: Path, name: str) -> None:
        """On the disk before anybody relies on it: what it was taken of may be wiped next."""
        made.chmod(0o600)
        sync_file(made)
        made.replace(self._folder / name)
        sync_folder(self._folder)
        sync_folder(self._folder.parent)


def _judged(seen: EtcdSnapshot, name: str, authority: str) -> EtcdSnapshot:
    """The same by the name that it goes by, and whether its CA is ours."""
    return replace(seen, name=name, ours=bool(authority) and seen.authority.strip() == authority)
