"""The lab's stand-in for CloudNativePG's instance manager: real PostgreSQL and real barman-cloud in a database's pods.

A script of the standard library alone. `instance.py make` runs in a Job: it leaves a cluster of databases in PGDATA, recovered from
an archive, or a new one. `instance.py run` serves it, archives its log, and writes what its operator is to know as lines of JSON.
LAB_DATABASE says of what: `Told`; LAB_PROGRAMS where the programs are; LAB_LIE how to be wrong: `empty` or `early`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

DATA, RUN = Path(os.environ.get("PGDATA", "/var/lib/postgresql/data/pgdata")), Path("/controller/run")
READY = "ready"
"""Beside RUN while its server answers."""
_LIMIT_S, _ANSWER_S = 240.0, 10.0
_LOOK_S, _TELL_S = 0.1, 0.5
_NOT_EMPTY = 1
"""What barman-cloud-check-wal-archive ends with where an archive is in use; whoever could not look ends with more."""
_STATE = """SELECT json_build_object('systemID', (SELECT system_identifier::text FROM pg_control_system()),
 'timelineID', ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, 'refused',
 (SELECT coalesce(last_failed_wal, '') FROM pg_stat_archiver WHERE last_failed_time > coalesce(last_archived_time, '-infinity')))"""


class Failed(Exception):
    """What its operator's Job says of its end."""


class Instance:
    """One cluster of databases in `data`, its socket in `run`. `told` has `reads` and `writes` (endpoint, destination, server; None
    for neither), `backup`, `target`, `database` and `owner`. No program takes longer than `limit_s`."""

    def __init__(
        self, told: dict[str, Any], programs: dict[str, str], data: Path = DATA, run: Path = RUN, limit_s: float = _LIMIT_S
    ) -> None:
        self._told, self._programs, self._data, self._socket, self._limit_s = told, programs, data, run, limit_s
        self._ready = run.with_name(READY)
        self._server: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def make(self, lie: str) -> None:
        """Leave it there, stopped in order, in place of what an attempt before this one left. Failed says why not."""
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        try:
            if lie == "empty" or self._told["reads"] is None:
                self._initialise()
            else:
                self._recover(early=lie == "early")
            self._give_password()
        finally:
            code = self._stop()  # whatever comes after this finds no server in its data
        if code:
            raise Failed(f"postgres ended with {code} when it was stopped")

    def _initialise(self) -> None:
        who = ("-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256")
        self._run(self._programs["initdb"], "-D", str(self._data), *who)
        self._start(**self._archiving())
        owner, database = self._told["owner"], self._told["database"]
        self._does(f'CREATE ROLE "{owner}" LOGIN')
        self._does(f'CREATE DATABASE "{database}" OWNER "{owner}"')

    def _recover(self, *, early: bool) -> None:
        reads, writes = self._told["reads"], self._told["writes"]
        if writes is not None and (code := self._ended(*self._cloud("check-wal-archive", writes))):
            why = "Expected empty archive" if code == _NOT_EMPTY else f"barman-cloud-check-wal-archive ended with {code}"
            raise Failed(f"{why}: WAL archive check failed for server {writes['server']}")
        until = ("--target-time", self._told["target"]) if self._told["target"] and not self._told["backup"] else ()
        self._run(*self._cloud("restore", reads, *until), self._told["backup"] or "auto", str(self._data))
        (self._data / "recovery.signal").touch()
        stop = {"recovery_target_time": self._told["target"]} if self._told["target"] else {}
        stop = {"recovery_target": "immediate"} if early else stop
        restoring = f"{shlex.join(self._cloud('wal-restore', reads))} %f %p"
        self._start(**self._archiving(), restore_command=restoring, recovery_target_action="promote", **stop)

    def serve(self) -> int:
        """Serve it until told to end; its log is closed and archived then."""
        self._ready.unlink(missing_ok=True)
        self._data.chmod(0o700)  # a kubelet gives all of a volume to its pod's group
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # of a pod that was killed: nobody else has this volume
        self._start(**self._archiving())
        before = ""
        while self._server is not None and self._server.poll() is None:
            now = self._answer(_STATE)
            if now:
                self._ready.touch()
            else:
                self._ready.unlink(missing_ok=True)
            if now and now != before:
                _say(now)
                before = now
            if self._ending.wait(_TELL_S):
                break
        self._ready.unlink(missing_ok=True)
        return self._stop()

    def _archiving(self) -> dict[str, str]:
        """The settings by which its log is kept, from its first timeline on."""
        writes = self._told["writes"]
        if writes is None:
            return {"archive_mode": "off"}
        return {"archive_mode": "on", "archive_command": f"{shlex.join(self._cloud('wal-archive', writes, '--gzip'))} %p"}

    def end(self) -> None:
        """Have it end in order."""
        self._ending.set()

    def _start(self, **settings: str) -> None:
        """Start the server, and wait until it answers and recovers no more."""
        self._socket.mkdir(exist_ok=True)
        own = {
            "unix_socket_directories": str(self._socket), "listen_addresses": "127.0.0.1", "port": os.environ.get("PGPORT", "5432"),
            "ssl": "off", "logging_collector": "off", "shared_buffers": "16MB", "fsync": "off",
        }  # fmt: skip
        words = [part for key, value in {**own, **settings}.items() for part in ("-c", f"{key}={value}")]
        self._server = subprocess.Popen([self._programs["postgres"], "-D", str(self._data), *words])
        deadline = time.monotonic() + self._limit_s
        while self._answer("SELECT NOT pg_is_in_recovery()") != "t":
            if self._server.poll() is not None:
                raise Failed(f"postgres ended with {self._server.returncode} before it was recovered")
            if self._ending.is_set() or time.monotonic() > deadline:
                self._stop()
                raise Failed("postgres was not recovered in time")
            time.sleep(_LOOK_S)

    def _stop(self) -> int:
        """The code that it ends with: 0 where it closed its log, or never ran."""
        if self._server is None:
            return 0
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # fast: sessions are ended, the log is closed
        try:
            return self._server.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            self._server.kill()
            return self._server.wait()

    def _give_password(self) -> None:
        """The application's password is what its Secret says, whatever it was when the archive was written."""
        quoted = os.environ["APP_PASSWORD"].replace("'", "''")
        self._does(f"ALTER ROLE \"{self._told['owner']}\" PASSWORD '{quoted}'")

    def _cloud(self, what: str, place: dict[str, str], *options: str) -> list[str]:
        program = self._programs[f"barman-cloud-{what}"]
        return [program, "--endpoint-url", place["endpoint"], *options, place["destination"], place["server"]]

    def _answer(self, sql: str) -> str:
        """What the server answers, "" where it does not. By standard input: a password is in no list of processes."""
        quiet = ("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
        argv = [self._programs["psql"], *quiet, "-h", str(self._socket), "-U", "postgres", "-d", "postgres"]
        limit_s = min(_ANSWER_S, self._limit_s)
        try:
            done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False, timeout=limit_s)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def _does(self, sql: str) -> None:
        if self._answer(f"{sql}; SELECT 'done'") != "done":
            raise Failed(f"postgres refused: {sql.partition(' PASSWORD ')[0]}")

    def _run(self, *words: str) -> None:
        if code := self._ended(*words):
            raise Failed(f"{Path(words[0]).name} ended with {code}")

    def _ended(self, *words: str) -> int:
        try:
            return subprocess.run([*words], check=False, stdin=subprocess.DEVNULL, timeout=self._limit_s).returncode
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{Path(words[0]).name} did not end in {self._limit_s:.0f} s") from late


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Make it, or serve it; answers the code of its end."""
    instance = Instance(json.loads(os.environ["LAB_DATABASE"]), json.loads(os.environ["LAB_PROGRAMS"]))
    signal.signal(signal.SIGTERM, lambda *_: instance.end())
    try:
        if arguments == ["make"]:
            instance.make(os.environ.get("LAB_LIE", ""))
            return 0
        return instance.serve()
    except Failed as error:
        _say(json.dumps({"level": "error", "msg": str(error)}))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
