"""A real PostgreSQL whose base backups and log go to a bucket by real barman-cloud: outside of any pod, in a folder of its own.

`postgres` refuses to run as root: where the lab does, it runs as `nobody`. It listens at a socket in its folder and at no port.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab.parts.databases.barman import Cloud, found
from lab.parts.errors import PartFailed

LIMIT_S = 120.0
NOBODY = 65534
_PSQL = ("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
_LOOK_S = 0.05


@dataclass
class Postgres:
    """One cluster of databases. `folder` is one that `a_folder` made; several may share it."""

    name: str
    folder: Path
    cloud: Cloud
    running: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / self.name
        self._found = found()

    def make(self) -> None:
        """initdb; archives each segment with barman-cloud-wal-archive. Whoever comes by its socket needs no password."""
        told = ("-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "-N")
        self._as_postgres(str(self._found["initdb"]), "-D", str(self.data), *told)
        self.says(archive_mode="on", archive_command=f"{shlex.join(self.cloud.words('wal-archive', '--gzip'))} %p")

    def restore(self, base: str, target: float = 0.0, without: str = "") -> None:
        """As an operator does: the base backup, then the log, to a time or to its end; of the log all but one segment."""
        self.data.mkdir()
        self._run(self.cloud.words("restore", then=(base, str(self.data))))
        (self.data / "recovery.signal").touch()
        for path in (self.data, *self.data.rglob("*")):
            os.chown(path, *_whose())
        self.data.chmod(0o700)
        stop = {"recovery_target_time": time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(target))} if target else {}
        restoring = f"{shlex.join(self.cloud.words('wal-restore'))} %f %p"
        if without:
            restoring = f"test %f != {without} && {restoring}"
        self.says(archive_mode="off", restore_command=restoring, recovery_target_action="promote", **stop)

    def says(self, **settings: str) -> None:
        """Write settings; a socket of its own, and no port of the network."""
        own = {"unix_socket_directories": str(self.folder), "listen_addresses": "", "port": self.port, "fsync": "off"}
        lines = [f"{key} = '{value}'\n" for key, value in {**own, **settings}.items()]
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(lines)

    @property
    def port(self) -> str:
        """What tells its socket from the others' in the folder."""
        return str(5000 + sum(self.name.encode()) % 1000)

    def start(self) -> None:
        """Start it, and wait until it has left recovery."""
        log = self.folder / f"{self.name}.log"
        self._as_postgres(
            str(self._found["pg_ctl"]), "-D", str(self.data), "-l", str(log), "-w", "-t", str(int(LIMIT_S)), "start"
        )  # fmt: skip
        self.running = True
        self.until("SELECT NOT pg_is_in_recovery()")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.running:
            self._as_postgres(str(self._found["pg_ctl"]), "-D", str(self.data), "-m", "fast", "-w", "stop")
            self.running = False

    def psql(self, sql: str, words: tuple[str, ...] = _PSQL, database: str = "postgres") -> str:
        """What psql answers to this text on its standard input."""
        where = ("-h", str(self.folder), "-p", self.port, "-U", "postgres", "-d", database)
        return self._run([str(self._found["psql"]), *words[1:], *where], given=sql).strip()

    def until(self, sql: str) -> None:
        """Wait until it answers `t`. PartFailed where it never does."""
        deadline = time.monotonic() + LIMIT_S
        while self.psql(sql) != "t":
            if time.monotonic() > deadline:
                raise PartFailed(f"PostgreSQL {self.name}: never {sql}", evidence=self._tail())
            time.sleep(_LOOK_S)

    def archived(self) -> str:
        """Switch to the next segment of the log, and wait until the one before is in the archive; answers its name."""
        segment = self.psql("SELECT pg_walfile_name(pg_switch_wal())")
        name = segment  # PostgreSQL's own word for it
        self.until(f"SELECT coalesce(last_archived_wal >= '{name}', false) FROM pg_stat_archiver")  # noqa: S608
        return segment

    def back_up(self) -> None:
        """A base backup by barman-cloud-backup."""
        there = ("--gzip", "--immediate-checkpoint", "-h", str(self.folder), "-p", self.port, "-U", "postgres")
        self._run(self.cloud.words("backup", *there))

    def listed(self) -> str:
        """What barman-cloud-backup-list says, as JSON."""
        return self._run(self.cloud.words("backup-list", "--format", "json"))

    def controldata(self) -> dict[str, str]:
        """What pg_controldata says of it."""
        lines = self._run([str(self._found["pg_controldata"]), str(self.data)]).splitlines()
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def _as_postgres(self, *command: str) -> None:
        self._run([*_drop(), *command])

    def _run(self, command: list[str], given: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC", **self.cloud.environment}
        done = subprocess.run(
            command, env=environment, input=given, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=self.folder
        )
        if done.returncode:
            said = (*done.stdout.splitlines(), *done.stderr.splitlines())[-8:]
            raise PartFailed(f"{Path(command[0]).name} of {self.name} failed", evidence=(*said, *self._tail()))
        return done.stdout

    def _tail(self) -> tuple[str, ...]:
        log = self.folder / f"{self.name}.log"
        return tuple(log.read_text(errors="replace").splitlines()[-12:]) if log.exists() else ()


def a_folder() -> Path:
    """A new folder that PostgreSQL's user owns, with a path short enough for a socket. Whoever asks removes it."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.chown(folder, *_whose())
    return folder


def authority_for(folder: Path, ca_file: Path) -> Path:
    """A copy of an authority's file that PostgreSQL's user may read."""
    kept = Path(shutil.copy(ca_file, folder / "ca.pem"))
    kept.chmod(0o644)
    return kept


def _whose() -> tuple[int, int]:
    return (NOBODY, NOBODY) if os.geteuid() == 0 else (os.getuid(), os.getgid())


def _drop() -> list[str]:
    """Another user's, who may read where root keeps its Python: barman-cloud is called by the server itself."""
    if os.geteuid():
        return []
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reading]
