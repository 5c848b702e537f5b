"""What can really be restored: real restic restores the snapshot as a mover would, and every byte is compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.proof.master import PATIENCE_S, restic


@dataclass(frozen=True)
class Truth:
    """Whether all came back, and what restic or the comparison said when not."""

    whole: bool
    told: str


def restored(
    repository: Path | str, snapshot_id: str, reference: Path, target: Path, prefix: Sequence[str] = (),
    env: dict[str, str] | None = None, patience_s: float = PATIENCE_S,
) -> Truth:  # fmt: skip
    """Restore into `target`, with a lock as movers take one, and compare with what the snapshot was made of."""
    done = restic(repository, "restore", snapshot_id, "--target", str(target), prefix=prefix, env=env, patience_s=patience_s)
    words = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        return Truth(False, f"restic ends with {done.returncode}: {(words or [''])[-1][:90]}")
    differences = differing(reference, target)
    return Truth(not differences, f"{len(differences)} differ: {differences[0]}" if differences else "every byte is there")


def differing(reference: Path, target: Path) -> list[str]:
    """Paths that are not the same in both: kind, mode, target of a link, every byte."""
    one, two = entries(reference), entries(target)
    return sorted(repr(path) for path in one.keys() | two.keys() if one.get(path) != two.get(path))


def entries(folder: Path) -> dict[bytes, object]:
    """Each path below, as bytes, with all that is compared of it."""
    found: dict[bytes, object] = {}
    for base, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(base, name)
            seen = os.lstat(path)
            content: bytes | str = ""
            if stat.S_ISREG(seen.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            elif stat.S_ISLNK(seen.st_mode):
                content = os.readlink(path)
            found[os.path.relpath(path, os.fsencode(folder))] = (stat.S_IFMT(seen.st_mode), stat.S_IMODE(seen.st_mode), content)
    return found
