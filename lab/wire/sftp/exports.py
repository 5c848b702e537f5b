"""What of a box lies at /mnt, as a folder: made anew for each who comes, from what the box is then."""

from __future__ import annotations

import itertools
import shutil
import threading
from pathlib import Path

from lab.world.nas import LabNas

_KEPT = 16


class BoxTree:
    """Folders below `folder`, the oldest removed again. What lies in a dataset is one file that says so."""

    def __init__(self, nas: LabNas, folder: Path) -> None:
        self._nas, self._folder = nas, folder
        self._numbers, self._guard = itertools.count(), threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)

    def __call__(self) -> Path | None:
        """See SftpDoor: a box that is off turns everybody away."""
        if self._nas.silent or not self._nas.services.get("ssh", (False, False))[1]:
            return None
        with self._guard:
            number = next(self._numbers)
            if number >= _KEPT:
                shutil.rmtree(self._folder / str(number - _KEPT), ignore_errors=True)
            return self._made(self._folder / str(number))

    def _made(self, root: Path) -> Path:
        root.mkdir(parents=True)
        exports = {one.path: one for one in (*self._nas.nfs, *self._nas.smb)}
        for dataset in sorted(self._nas.there(), key=lambda one: one.name):
            path = f"/mnt/{dataset.name}"
            found = exports.get(path)
            if found is not None and not found.shown:
                continue
            (root / dataset.name).mkdir(parents=True, exist_ok=True)
            if dataset.mounted and not dataset.locked and not (found is not None and found.bare):
                (root / dataset.name / "README").write_text(f"What lies on {dataset.name} of the simulated NAS.\n")
        return root
