"""A private folder that a kit is opened in, gone afterwards; and what one left that was killed, which the next one clears away."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.process.keeper import Keeper
from adapters.process.results import Runner
from tools.places import Places

PREFIX = "blackstart-kit-"
_IN_USE = ".in-use"


@contextmanager
def workroom() -> Iterator[tuple[Path, Runner]]:
    """The folder, and what runs programs there. What it holds of a house (a kubeconfig too) outlives no run but a killed one's,
    and that only until the next kit is opened."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        room = Path(name)
        with (room / _IN_USE).open("w") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            sweep(room.parent)
            with Keeper(room / "programs", search=(Places().programs,)) as keeper:
                yield room, keeper


def sweep(parent: Path) -> None:
    """Take away the rooms there that are ours and that nobody is in. One that cannot be stays; so does one that is yet unmarked:
    its owner may be about to mark it."""
    for room in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if room.is_symlink() or room.stat().st_uid != os.getuid():
                continue
            with (room / _IN_USE).open("r+") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(room, ignore_errors=True)
