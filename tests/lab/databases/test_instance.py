"""The lab's instance manager where a program fails, hangs or answers nothing: PostgreSQL and barman-cloud are scripts here."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.parts.databases.instance import READY, Failed, Instance

PLACE = {"endpoint": "https://store", "destination": "s3://databases", "server": "pg-2"}
SERVER = """#!{python} -IS
import pathlib, signal, sys
signal.signal(signal.SIGINT, {on_end})
pathlib.Path("{folder}/up").touch()
while True:
    signal.pause()
"""
PSQL = """#!/bin/sh
asked=$(cat)
[ -e {folder}/up ] || exit 2
[ ! -e {folder}/mute ] || exec sleep 60
case "$asked" in
*pg_is_in_recovery*) echo t ;;
*json_build_object*) echo '{{"systemID": "7"}}' ;;
*"{refused}"*) exit 1 ;;
*) echo done ;;
esac
"""


class Machine:
    """A folder with programs in it, and what an instance is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, dict[str, str]()
        for name in ("initdb", "barman-cloud-check-wal-archive", "barman-cloud-restore", "barman-cloud-wal-restore",
                     "barman-cloud-wal-archive"):  # fmt: skip
            self.has(name, "#!/bin/sh\n")
        self.server()
        self.psql()
        (folder / "data").mkdir()

    def has(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(script)
        path.chmod(0o755)
        self.programs[name] = str(path)

    def server(self, on_end: str = "lambda *_: sys.exit(0)") -> None:
        self.has("postgres", SERVER.format(python=sys.executable, folder=self.folder, on_end=on_end))

    def psql(self, refused: str = "nothing") -> None:
        self.has("psql", PSQL.format(folder=self.folder, refused=refused))

    def instance(self, reads: dict[str, str] | None = None, limit_s: float = 5.0) -> Instance:
        told: dict[str, Any] = {"reads": reads, "writes": PLACE, "backup": "", "target": "", "database": "app", "owner": "app"}
        return Instance(told, self.programs, self.folder / "data", self.folder / "run", limit_s)

    def made(self, reads: dict[str, str] | None = None, limit_s: float = 5.0) -> str:
        """Why none could be made; "" where one was. No server is left in either case."""
        (self.folder / "up").unlink(missing_ok=True)
        instance = self.instance(reads, limit_s)
        try:
            instance.make("")
        except Failed as why:
            return str(why)
        finally:
            assert instance._server is None or instance._server.poll() is not None
        return ""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("APP_PASSWORD", "sesame")
    return Machine(tmp_path)


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_one_that_is_made_and_stopped_in_order_is_made(machine: Machine) -> None:
    assert machine.made() == machine.made(reads=PLACE) == ""


@pytest.mark.parametrize(
    ("on_end", "why"), [("lambda *_: sys.exit(3)", "postgres ended with 3"), ("signal.SIG_IGN", "postgres ended with -9")]
)
def test_one_whose_server_does_not_stop_in_order_is_not_made(machine: Machine, on_end: str, why: str) -> None:
    machine.server(on_end)
    assert machine.made(limit_s=3.0) == f"{why} when it was stopped"


def test_what_its_server_refuses_leaves_no_server_behind(machine: Machine) -> None:
    machine.psql(refused="CREATE ROLE")
    assert machine.made() == 'postgres refused: CREATE ROLE "app" LOGIN'
    machine.psql(refused="PASSWORD")
    assert machine.made() == 'postgres refused: ALTER ROLE "app"'


@pytest.mark.parametrize(
    ("code", "why"), [(1, "Expected empty archive"), (2, "barman-cloud-check-wal-archive ended with 2")]
)
def test_an_archive_at_which_it_could_not_look_is_not_called_used(machine: Machine, code: int, why: str) -> None:
    machine.has("barman-cloud-check-wal-archive", f"#!/bin/sh\nexit {code}\n")
    assert machine.made(reads=PLACE) == f"{why}: WAL archive check failed for server pg-2"


def test_what_hangs_is_waited_for_no_longer_than_it_may_take(machine: Machine) -> None:
    machine.has("barman-cloud-restore", "#!/bin/sh\nexec sleep 60\n")
    assert machine.made(reads=PLACE, limit_s=0.3) == "barman-cloud-restore did not end in 0 s"
    machine.has("barman-cloud-restore", "#!/bin/sh\n")
    (machine.folder / "mute").touch()
    assert machine.made(limit_s=0.3) == "postgres was not recovered in time"


def test_one_that_serves_is_ready_while_its_server_answers(machine: Machine) -> None:
    instance, ready, mute = machine.instance(limit_s=0.5), machine.folder / READY, machine.folder / "mute"
    serving = threading.Thread(target=instance.serve)
    serving.start()
    try:
        until(ready.exists)
        mute.touch()
        until(lambda: not ready.exists())
        mute.unlink()
        until(ready.exists)
    finally:
        instance.end()
        serving.join(10.0)
    assert not serving.is_alive() and not ready.exists()
