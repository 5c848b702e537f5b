"""An audit of many repositories in a bucket 50 ms away, against a plain loop of the same restic commands.

`python -m bench.audit [repositories]`; the issue's figure is 60. The store is the lab's S3 door in this process, so its own work
is on the same cores: that of the loop as well as that of the audit.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from adapters.backups.opening import READ_ONLY, Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Depth, Verdict
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from bench.table import Table
from cluster.backups.audit import Asked
from cluster.backups.auditing import audit_all
from engine.secrets import Secret
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import House, Requirement, SecretRef
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from tests.builders import a_claim, a_house
from tests.proof.sealing import key_of, put_json, sealed

BIN = Path(__file__).resolve().parents[1] / ".tools" / "bin"
REPOSITORIES = 60
SLOW_S = 0.05
SNAPSHOTS = 4
HOUR_S = 3600
MOST_OF_LOOP = 0.5
MOST_OF_CPU = 1.25
_PASSWORD = "the password of a benchmark"
_KEYS = {"AWS_ACCESS_KEY_ID": "LABKEYID", "AWS_SECRET_ACCESS_KEY": "the-secret-key-of-the-store"}


def make(folder: Path, count: int) -> None:
    """So many copies of one repository, with the key that restic itself made, in a bucket. Their configs give each an id."""
    volume = folder / "volume"
    volume.mkdir()
    first = folder / "s3" / "buckets" / "backups" / "app-0"
    env = {"RESTIC_PASSWORD": _PASSWORD, "PATH": os.environ["PATH"], "HOME": str(folder)}
    restic = [str(BIN / "restic"), "-r", str(first), "--no-cache", "--quiet"]
    subprocess.run([*restic, "init"], env=env, check=True)
    for number in range(SNAPSHOTS):
        (volume / f"file-{number}").write_bytes(os.urandom(200_000))
        made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - (SNAPSHOTS - number) * HOUR_S))
        subprocess.run([*restic, "backup", "--host", "volsync", "--time", made, "."], env=env, cwd=volume, check=True)
    key = key_of(first, _PASSWORD)
    for file in list((first / "snapshots").iterdir()):  # as a mover makes them
        told = json.loads(key.unpacked(file.read_bytes()))
        file.unlink()
        put_json(first, key, "snapshots", told | {"paths": ["/data"]})
    config = json.loads(key.unpacked((first / "config").read_bytes()))
    for number in range(1, count):
        copy = first.with_name(f"app-{number}")
        shutil.copytree(first, copy)
        (copy / "config").chmod(0o600)
        (copy / "config").write_bytes(sealed(key, json.dumps(config | {"id": f"{number:064x}"}).encode()))


@contextmanager
def store(folder: Path) -> Iterator[tuple[S3Door, Path]]:
    """The bucket, 50 ms away."""
    authority = LabCA(folder / "ca")
    objects = ObjectStore(folder / "s3")
    objects.make_bucket("backups")
    key = AccessKey(_KEYS["AWS_ACCESS_KEY_ID"], Secret(_KEYS["AWS_SECRET_ACCESS_KEY"]))
    door = S3Door(objects, (key,), authority.server("s3", "127.0.0.1").context(), Faults()).start()
    try:
        yield door, authority.ca_file
    finally:
        door.close()


def loop(door: S3Door, ca_file: Path, count: int) -> tuple[float, float]:
    """The same commands one after another, as a shell script would run them: wall and processor seconds."""
    env = {
        **_KEYS, "AWS_DEFAULT_REGION": "us-east-1", "RESTIC_PASSWORD": _PASSWORD, "RESTIC_CACERT": str(ca_file),
        "PATH": os.environ["PATH"], "HOME": "/nowhere",
    }  # fmt: skip

    def ask(number: int, *words: str) -> str:
        argv = [str(BIN / "restic"), "-r", f"s3:{door.url}/backups/app-{number}", *READ_ONLY, "-o", "s3.bucket-lookup=path"]
        return subprocess.run([*argv, *words], env=env, capture_output=True, text=True, check=True).stdout

    began, before = time.monotonic(), _children_s()
    for number in range(count):
        ask(number, "cat", "config")
        newest = max(json.loads(ask(number, "snapshots")), key=lambda one: str(one["time"]))["id"]
        for index in ask(number, "list", "index").split():
            ask(number, "cat", "index", index)
        ask(number, "ls", newest)
        ask(number, "stats", "--mode", "raw-data", newest)
    return time.monotonic() - began, _children_s() - before


def audit(folder: Path, door: S3Door, ca_file: Path, count: int) -> float:
    """Ours, at *tree*: wall seconds. RuntimeError when one of them is not ok."""
    with Keeper(folder / "state", search=(BIN,)) as keeper:
        backups = ResticBackups(keeper, Openings(Secrets(keeper, folder, None, {"PASSWORD": _PASSWORD, **_KEYS})), SystemClock())
        house = _house(door, ca_file, count)
        began = time.monotonic()
        found = audit_all(backups, SystemClock(), house, Asked(depth=Depth.TREE), Threads(), lambda _: None)
        took = time.monotonic() - began
    bad = [one.detail for one in found if one.verdict is not Verdict.OK or len(one.points) != SNAPSHOTS]
    if bad:
        raise RuntimeError(f"{len(bad)} of {count} are not ok: {bad[0]}")
    return took


def _house(door: S3Door, ca_file: Path, count: int) -> House:
    environment = tuple((name, SecretRef((f"env:{name}",))) for name in _KEYS)
    claims = tuple(
        replace(
            a_claim(f"app-{number}"), open_as=f"s3:{door.url}/backups/app-{number}", password=SecretRef(("env:PASSWORD",)),
            environment=environment, ca_file=str(ca_file), requirement=Requirement(True, 0.0, 0),
        )
        for number in range(count)
    )  # fmt: skip
    return replace(a_house(), claims=claims)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(table: Table, count: int, slow_s: float = SLOW_S) -> None:
    """Add the rows of one measurement."""
    with tempfile.TemporaryDirectory(prefix="bench-audit-") as name, store(Path(name)) as (door, ca_file):
        folder = Path(name)
        make(folder, count)
        door.weather.slow_s = slow_s
        ours = audit(folder, door, ca_file, count)
        plain, cpu = loop(door, ca_file, count)
    cores = os.cpu_count() or 1
    what = f"audit of {count} repositories at tree, {slow_s * 1000:.0f} ms away"
    table.add(what, ours, "s", None, f"{ours / count:.2f} s each")
    table.add("the same commands in a loop", plain, "s", None, f"{cpu:.1f} s of processor time")
    table.add("audit against the loop", ours / plain, "x", MOST_OF_LOOP)
    table.add(f"audit against the loop's processor seconds over {cores} cores", ours * cores / cpu, "x", MOST_OF_CPU)


def main(count: int) -> int:
    """Measure, tell, and answer the exit code."""
    table = Table("audit")
    measure(table, count)
    return table.tell()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORIES))
