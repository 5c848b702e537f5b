"""A real PostgreSQL on what a volume held of it: it is started and read, and what was spoilt in it is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.drills.probes import SCRIPTS, told
from adapters.drills.results import Examined, Health
from house.values.rehearsing import Preset

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nowhere"))
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(not (BIN / "initdb").exists() or os.getuid() != 0, reason="no PostgreSQL, or not root, who can be nobody"),
]
NOBODY = 65534


def as_nobody(*words: str) -> None:
    done = subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Where nobody may write; a test's own folder is root's alone."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.fixture(scope="module")
def cluster(place: Path) -> Path:
    """A data directory with one database of its owner's, shut down; and in its settings what no image has."""
    data = place / "given" / "pgdata"
    as_nobody(str(BIN / "initdb"), "-D", str(data), "-U", "owner", "--auth=trust", "-N")
    pg_ctl, options = (str(BIN / "pg_ctl"), "-D", str(data), "-w"), f"-c listen_addresses= -c unix_socket_directories={place} -F"
    as_nobody(*pg_ctl, "-l", f"{place}/log", "-o", options, "start")
    sql = "CREATE TABLE t AS SELECT g AS id, repeat('x', 200) AS w FROM generate_series(1, 2000) g"
    try:
        as_nobody(str(BIN / "psql"), "-h", str(place), "-U", "owner", "-d", "postgres", "-qc", sql)
    finally:
        as_nobody(*pg_ctl, "-m", "fast", "stop")
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("shared_preload_libraries = 'nothing_here'\nrestore_command = 'false'\nprimary_conninfo = 'host=10.0.0.1'\n")
    (data / "standby.signal").touch()
    (data / "postmaster.pid").write_text("1\n/elsewhere\n")
    return data


@pytest.fixture
def volume(place: Path, cluster: Path) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(dir=place))
    root.chmod(0o755)
    subprocess.run(["cp", "-a", str(cluster), str(root / "pgdata")], check=True)
    (root / "pgdata").chmod(0o2770)  # as a volume's group makes it
    yield root
    shutil.rmtree(root)


def seen(volume: Path, place: Path) -> Examined:
    own = Path(tempfile.mkdtemp(dir=place))
    own.chmod(0o777)
    text = SCRIPTS[Preset.POSTGRES].replace("/tmp", str(own)).replace("cd /data", f"cd {volume}")
    done = subprocess.run(
        ["sh", "-c", text], env={"PATH": os.environ["PATH"], "PATHS": ""}, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done
    return told(done.stdout)


def test_what_a_replica_left_is_started_by_whomever_it_belongs_to_and_read(volume: Path, place: Path) -> None:
    found = seen(volume, place)
    assert found.health is Health.SOUND, found
    assert "tables: 1, databases: 2" in found.detail
    assert not (volume / "pgdata" / "postmaster.pid").exists(), "it was stopped"


@pytest.mark.parametrize("how", ["page", "gone", "log"])
def test_what_is_spoilt_is_seen_where_files_alone_look_whole(volume: Path, place: Path, how: str) -> None:
    data = volume / "pgdata"
    table = max((p for p in (data / "base").rglob("1638*") if p.is_file()), key=lambda p: p.stat().st_size)
    if how == "page":
        content = table.read_bytes()
        table.write_bytes(content[:8192] + b"\xff" * 24 + content[8216:])
    elif how == "gone":
        table.unlink()
    else:
        log = max(p for p in (data / "pg_wal").iterdir() if p.is_file())
        log.write_bytes(bytes(log.stat().st_size))
    found = seen(volume, place)
    assert found.health is Health.ILL, found
    says = {"page": "invalid page in block 1", "gone": "could not open file", "log": "valid checkpoint record"}
    assert says[how] in found.detail
