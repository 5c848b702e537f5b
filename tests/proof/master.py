"""The good repository that every case is a copy of: real restic, three snapshots of a small volume, the shape of a mover's."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.backups.snapshots import seconds_of
from tests.proof.sealing import cheapen, key_of, put_json

BIN = Path(__file__).resolve().parents[2] / ".tools" / "bin"
PASSWORD = "the password of no secret at all"
HOUR = 3600.0
PATIENCE_S = 75.0  # restic waits 35 s for a lock that it cannot read, and a quarter of an hour for a disk that errs


def restic(
    repository: Path | str, *words: str, prefix: Sequence[str] = (), env: dict[str, str] | None = None, cwd: Path | None = None,
    patience_s: float = PATIENCE_S,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run the real one, without a cache; its code is for the caller, 124 when it went on trying for too long."""
    clean = {"RESTIC_PASSWORD": PASSWORD, "PATH": os.environ["PATH"], "HOME": "/nowhere", "TZ": "UTC"}
    argv = [*prefix, str(BIN / "restic"), "-r", str(repository), "--no-cache", *words]
    try:
        return subprocess.run(
            argv, env=clean | (env or {}), cwd=cwd, capture_output=True, text=True, errors="replace", check=False,
            timeout=patience_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, "", f"it did not end in {patience_s:.0f} s")


@dataclass(frozen=True)
class Master:
    """The good one. `packs`: data packs and tree packs, oldest first; `indexes` too; `snapshots` oldest first, as restic prints."""

    folder: Path
    data: tuple[str, ...]
    trees: tuple[str, ...]
    indexes: tuple[str, ...]
    snapshots: tuple[dict[str, Any], ...]

    @property
    def newest(self) -> dict[str, Any]:
        """The snapshot that is restored unless something is wrong with it."""
        return self.snapshots[-1]


def make(base: Path, version: str = "2") -> Master:
    """Build it below `base`. Raises AssertionError where restic does not do what it is told."""
    volume, folder = base / f"volume-{version}", base / f"master-{version}"
    volume.mkdir(parents=True)
    assert restic(folder, "init", "--repository-version", version).returncode == 0
    cheapen(folder, PASSWORD)
    for number, hours in enumerate((72, 48, 3)):
        change(volume, number)
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - hours * HOUR))
        done = restic(folder, "backup", "--host", "volsync", "--time", moment, "--pack-size", "4", ".", cwd=volume)
        assert done.returncode == 0, done.stderr
    as_movers_do(folder)
    return described(folder)


def change(volume: Path, number: int) -> None:
    """What an application does between two backups."""
    (volume / f"file{number}").write_bytes(random.Random(number).randbytes(300_000))
    (volume / "settings.yaml").write_text(f"version: {number}\n")
    (volume / "sub" / "deep").mkdir(parents=True, exist_ok=True)
    (volume / "sub" / "deep" / "words").write_text("the same again\n" * (number + 1))
    if not (volume / "link").is_symlink():
        (volume / "link").symlink_to("settings.yaml")
        os.mkfifo(volume / "pipe")
        os.link(volume / "settings.yaml", volume / "hard")
        with (volume / "sparse").open("wb") as file:
            file.truncate(1_000_000)
        (volume / os.fsdecode(b"not-utf8-\xff")).write_text("a name")


def as_movers_do(folder: Path) -> None:
    """Their snapshots are of /data: the paths are rewritten, for nothing is mounted there on this machine."""
    key = key_of(folder, PASSWORD)
    for snapshot in listed(folder):
        (folder / "snapshots" / snapshot["id"]).unlink()
        put_json(folder, key, "snapshots", without_id(snapshot) | {"paths": ["/data"]})


def without_id(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A snapshot as it is stored."""
    return {name: value for name, value in snapshot.items() if name not in ("id", "short_id", "parent")}


def listed(folder: Path | str, **how: Any) -> list[dict[str, Any]]:
    """What `restic snapshots` prints, oldest first; nothing when it fails."""
    done = restic(folder, "snapshots", "--json", "--no-lock", **how)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        return []
    return sorted(found, key=lambda snapshot: seconds_of(snapshot["time"]))


def described(folder: Path) -> Master:
    """What is in it, asked of restic itself."""
    kinds: dict[str, str] = {}
    names = sorted((folder / "index").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for file in names:
        for pack in json.loads(restic(folder, "cat", "index", file.name, "--no-lock").stdout)["packs"]:
            kinds[pack["id"]] = pack["blobs"][0]["type"]
    order = sorted(kinds, key=lambda pack: pack_file(folder, pack).stat().st_mtime_ns)
    return Master(
        folder,
        tuple(pack for pack in order if kinds[pack] == "data"),
        tuple(pack for pack in order if kinds[pack] == "tree"),
        tuple(file.name for file in names),
        tuple(listed(folder)),
    )


def pack_file(folder: Path, pack: str) -> Path:
    """Where a pack lies."""
    return folder / "data" / pack[:2] / pack


def copy_of(master: Path, to: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(master, to, symlinks=True))
