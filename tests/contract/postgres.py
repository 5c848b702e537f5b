"""A real PostgreSQL with real barman-cloud over the lab's S3 door: what our reading of an archive is held against.

`postgres` refuses to run as root: where the tests do, it runs as `nobody`. Found on PATH, or where Debian has it; barman-cloud
(the Python package `barman[cloud]`) on PATH, or in `.tools/barman/bin`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.test_layers import ROOT

LIMIT_S = 25.0
SERVER = "pg"


def programs() -> dict[str, str]:
    """Path of each program that is needed; lacks those that are not here."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []
    search = os.pathsep.join([os.environ.get("PATH", ""), *map(str, debian[-1:]), str(ROOT / ".tools/barman/bin")])
    wanted = ("initdb", "pg_ctl", "psql", "pg_controldata", "barman-cloud-backup", "barman-cloud-wal-archive")
    return {name: found for name in wanted if (found := shutil.which(name, path=search)) is not None}


LACKING = 6 - len(programs())


@dataclass
class Postgres:
    """One cluster of databases in a folder of its own. `cloud` is the environment and the words of barman's programs."""

    name: str
    folder: Path
    environment: Mapping[str, str]
    place: tuple[str, str, str]
    running: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / self.name
        self.found = programs()

    def make(self) -> None:
        """initdb; archives each segment with barman-cloud-wal-archive."""
        self._as_postgres(self.found["initdb"], "-D", str(self.data), "-U", "postgres", "--auth=trust", "-N")
        self.says(archive_mode="on", archive_command=self._cloud("barman-cloud-wal-archive", "%p"))

    def restore(self, base: str, target: float = 0.0, without: str = "") -> None:
        """As an operator does: the base backup, then the log, to a time or to its end; of the log all but one segment."""
        self.data.mkdir()
        self._run([*self._cloud("barman-cloud-restore", base, str(self.data)).split(" ")])
        (self.data / "recovery.signal").touch()
        for path in (self.data, *self.data.rglob("*")):
            os.chown(path, *_whose())
        self.data.chmod(0o700)
        stop = {"recovery_target_time": time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(target))} if target else {}
        restoring = self._cloud("barman-cloud-wal-restore", "%f", "%p")
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
        self._as_postgres(self.found["pg_ctl"], "-D", str(self.data), "-l", str(log), "-w", "-t", str(int(LIMIT_S)), "start")
        self.running = True
        self.until("SELECT NOT pg_is_in_recovery()")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.running:
            self._as_postgres(self.found["pg_ctl"], "-D", str(self.data), "-m", "fast", "-w", "stop")
            self.running = False

    def psql(self, sql: str, words: tuple[str, ...] = ("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")) -> str:
        """What psql answers to this text on its standard input."""
        command = [self.found["psql"], *words[1:], "-h", str(self.folder), "-p", self.port, "-U", "postgres", "-d", "postgres"]
        return self._run(command, given=sql).strip()

    def until(self, sql: str) -> None:
        """Wait until it answers `t`."""
        deadline = time.monotonic() + LIMIT_S
        while self.psql(sql) != "t":
            assert time.monotonic() < deadline, f"{self.name}: never {sql}"
            time.sleep(0.05)

    def archived(self) -> str:
        """Switch to the next segment of the log, and wait until the one before is in the archive; answers its name."""
        segment = self.psql("SELECT pg_walfile_name(pg_switch_wal())")
        self.until(f"SELECT coalesce(last_archived_wal >= '{segment}', false) FROM pg_stat_archiver")
        return segment

    def back_up(self) -> None:
        """A base backup by barman-cloud-backup."""
        there = ("--immediate-checkpoint", "-h", str(self.folder), "-p", self.port, "-U", "postgres")
        words = self._cloud("barman-cloud-backup", *there, at_end=True)
        self._run(words.split(" "))

    def listed(self) -> str:
        """What barman-cloud-backup-list says, as JSON."""
        return self._run(self._cloud("barman-cloud-backup-list", "--format", "json", at_end=True).split(" "))

    def controldata(self) -> dict[str, str]:
        """What pg_controldata says of it."""
        lines = self._run([self.found["pg_controldata"], str(self.data)]).splitlines()
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def _cloud(self, program: str, *words: str, at_end: bool = False) -> str:
        path = Path(self.found["barman-cloud-backup"]).with_name(program)
        endpoint, bucket, server = self.place
        own = ["--endpoint-url", endpoint]
        mine = list(words)
        return " ".join([str(path), *own, *(mine if at_end else []), bucket, server, *([] if at_end else mine)])

    def _as_postgres(self, *command: str) -> None:
        self._run([*_drop(), *command])

    def _run(self, command: list[str], given: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C", "TZ": "UTC", **self.environment}
        done = subprocess.run(
            command, env=environment, input=given, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=self.folder
        )
        if done.returncode:
            log = self.folder / f"{self.name}.log"
            raise AssertionError(f"{command[0]}: {done.stdout}{done.stderr}{log.read_text()[-2000:] if log.exists() else ''}")
        return done.stdout


def a_folder() -> Path:
    """A folder that PostgreSQL's user owns, short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.chown(folder, *_whose())
    return folder


def _whose() -> tuple[int, int]:
    return (65534, 65534) if os.geteuid() == 0 else (os.getuid(), os.getgid())


def _drop() -> list[str]:
    """Another user's, who may read where root keeps its Python: barman-cloud is called by the server itself."""
    if os.geteuid():
        return []
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading]
