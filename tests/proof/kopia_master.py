"""A good repository of kopia, as movers leave it: made once with real kopia, of three backups of one claim and one of another."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.master import BIN, PASSWORD, copy_of

IDENTITY, NEIGHBOUR = "notes@apps:/data", "photos@apps:/data"


def kopia(
    state: Path, *words: str, prefix: Sequence[str] = (), env: dict[str, str] | None = None, patience_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run kopia with what it keeps in the folder `state`; 124 for one that did not end."""
    state.mkdir(parents=True, exist_ok=True)
    own = {
        "PATH": os.environ["PATH"], "HOME": str(state), "KOPIA_PASSWORD": PASSWORD, "KOPIA_CHECK_FOR_UPDATES": "false",
        "KOPIA_CACHE_DIRECTORY": str(state / "cache"), **(env or {}),
    }  # fmt: skip
    argv = [*prefix, str(BIN / "kopia"), *words, f"--config-file={state}/connection", "--disable-file-logging", "--no-progress"]
    try:
        return subprocess.run(argv, env=own, capture_output=True, text=True, check=False, timeout=patience_s)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, "", f"it did not end in {patience_s:.0f} s")


def asked(state: Path, *words: str) -> str:
    """What it prints. AssertionError where it does not do what it is told."""
    done = kopia(state, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class KopiaMaster:
    """The good one in `folder`. `snapshots`: those of IDENTITY as kopia prints them, oldest first; `references`: what each is of.

    Packs and indexes are names of the store's files, oldest first; `data` hold files, `trees` folders and the snapshots themselves.
    """

    folder: Path
    state: Path
    snapshots: tuple[dict[str, Any], ...]
    references: dict[str, Path]
    data: tuple[str, ...]
    trees: tuple[str, ...]
    indexes: tuple[str, ...]
    of_neighbour: tuple[str, ...]

    @property
    def newest(self) -> dict[str, Any]:
        """The snapshot that a restore takes."""
        return self.snapshots[-1]


def blob_file(folder: Path, name: str) -> Path:
    """Where a file of the store lies below the folder: kopia cuts its name into folders."""
    wanted = f"{name}.f"
    for path in folder.rglob("*.f"):
        if "".join(path.relative_to(folder).parts) == wanted:
            return path
    raise FileNotFoundError(name)


def make(base: Path) -> KopiaMaster:
    """Build it below `base`. Each backup is a writer of its own, so that each has packs and an index of its own."""
    folder, state = base / "kopia-master", base / "kopia-state"
    asked(state, "repository", "create", "filesystem", f"--path={folder}", *_identity(IDENTITY))
    references: dict[str, Path] = {}
    (base / "photos").mkdir(parents=True)
    (base / "photos" / "picture").write_bytes(random.Random(7).randbytes(300_000))  # nothing that the claim's backups share
    before = set(_blobs(state))
    asked(state, "repository", "set-client", *_client(NEIGHBOUR))
    _snapshot(state, base / "photos")
    of_neighbour = tuple(sorted(set(_blobs(state)) - before))
    asked(state, "repository", "set-client", *_client(IDENTITY))
    snapshots = []
    for number in range(3):
        volume, reference = base / "notes", base / f"reference-{number}"
        _change(volume, number)
        told = _snapshot(state, volume)
        copy_of(volume, reference)
        references[told["id"]] = reference
        snapshots.append(told)
    order = [one["id"] for one in sorted(_told(state), key=lambda one: one["timestamp"]) if one["id"] not in of_neighbour]
    return KopiaMaster(
        folder, state, tuple(snapshots), references,
        tuple(name for name in order if name.startswith("p")), tuple(name for name in order if name.startswith("q")),
        tuple(name for name in order if name.startswith("x")), of_neighbour,
    )  # fmt: skip


def _snapshot(state: Path, volume: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(asked(state, "snapshot", "create", str(volume), "--override-source=/data", "--json"))
    return told


def _told(state: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked(state, "blob", "list", "--json"))
    return found


def _blobs(state: Path) -> list[str]:
    return [str(one["id"]) for one in _told(state)]


def _client(identity: str) -> list[str]:
    user, _, rest = identity.partition("@")
    return [f"--username={user}", f"--hostname={rest.partition(':')[0]}"]


def _identity(identity: str) -> list[str]:
    return [word.replace("--", "--override-") for word in _client(identity)]


def _change(volume: Path, number: int) -> None:
    """What an application does between two backups."""
    (volume / "sub" / "deep").mkdir(parents=True, exist_ok=True)
    (volume / f"file{number}").write_bytes(random.Random(number).randbytes(300_000))
    (volume / "settings.yaml").write_text(f"version: {number}\n")
    (volume / "sub" / "deep" / "words").write_text("the same again\n" * (number + 1))
    if not (volume / "link").is_symlink():
        (volume / "link").symlink_to("settings.yaml")
        (volume / "empty").write_bytes(b"")
