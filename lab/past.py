"""The past of a house: backups that an earlier cluster left in its store, made by the lab's own mover as that cluster's pods were.

Knows no cluster: there is none any more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from lab.house import LabHouse
from lab.houses.credentials import Credentials
from lab.parts import mover as mover_script
from lab.parts import sandbox as sandbox_script
from lab.parts.errors import PartFailed
from lab.parts.pki import write_private
from lab.parts.programs import find

APPLICATION_UID = 1000
FILES, SIZE = 40, 2048
_TIMEOUT_S = 120.0
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Past:
    """One application's volume as it was. `back_up` leaves a snapshot in the application's repository each time."""

    def __init__(self, house: LabHouse, app: str) -> None:
        self._house = house
        self._app = app
        self._folder = house.folder.root / "past" / app
        self._random = Random(app)  # noqa: S311 - content that differs from file to file, nothing secret
        self.volume = self._folder / "data"
        shutil.rmtree(self._folder, ignore_errors=True)
        (self.volume / "lost+found").mkdir(parents=True)
        for number in range(FILES):
            self.write(f"library-{number % 7}/item-{number}.bin", SIZE)
        self._own(self.volume)

    def write(self, name: str, size: int) -> None:
        """The application writes a file of `size` bytes."""
        path = self.volume / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._random.randbytes(size))
        self._own(path.parent)
        self._own(path)

    def back_up(self) -> None:
        """VolSync's mover backs the volume up. PartFailed with its last words when it does not."""
        cache = self._folder / "cache"
        cache.mkdir(exist_ok=True)
        self._own(cache)
        place, ended = self._folder / "sandbox.json", self._folder / "exit"
        as_root = os.geteuid() == 0
        write_private(place, json.dumps(self._sandbox(cache, ended, as_root=as_root)).encode())
        rights = ("--propagation", "private") if as_root else ("--user", "--map-root-user")
        sandbox = str(Path(sandbox_script.__file__).resolve())
        done = subprocess.run(
            ["/usr/bin/unshare", "--mount", *rights, "--", sys.executable, "-I", sandbox, str(place)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": _PATH}, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        if done.returncode or not ended.exists() or ended.read_text() != "0":
            raise PartFailed(f"the past backup of {self._app} failed", evidence=tuple(done.stdout.splitlines()[-8:]))
        ended.unlink()

    def _sandbox(self, cache: Path, ended: Path, *, as_root: bool) -> dict[str, object]:
        """What lab/parts/sandbox.py is told: a mover pod of the application's, on its volume."""
        script, interpreter = Path(mover_script.__file__).resolve(), str(Path(sys.executable).resolve())
        files = {script: "/.lab/mover.py", find("restic"): "/.lab/restic", self._house.folder.ca_file: "/.lab/ca.crt"}
        return {
            "root": str(self._folder / "root"),
            "exit": str(ended),
            "mounts": [
                [str(self.volume), "/data", False],
                [str(cache), "/cache", False],
                *([str(source), target, True] for source, target in files.items()),
            ],
            "argv": [interpreter, "-I", "/.lab/mover.py", "backup"],
            "environment": self._environment(),
            "uid": APPLICATION_UID,
            "gid": APPLICATION_UID,
            "groups": [APPLICATION_UID],
            "capabilities": [],
            "as_root": as_root,
        }

    def _environment(self) -> dict[str, str]:
        keys = Credentials.read(self._house.folder.secrets)
        return {
            "PATH": _PATH,
            "HOME": "/tmp",  # noqa: S108 - the sandbox's own
            "RESTIC_REPOSITORY": f"{self._house.block.backups}/{self._app}",
            "RESTIC_PASSWORD": keys.restic_password.reveal(),
            "AWS_ACCESS_KEY_ID": keys.store_key_id.reveal(),
            "AWS_SECRET_ACCESS_KEY": keys.store_key.reveal(),
            "CUSTOM_CA": "/.lab/ca.crt",
            "FORGET_OPTIONS": "--keep-last 10",
            "RESTIC_CACHE_DIR": "/cache",
        }

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, APPLICATION_UID, APPLICATION_UID)
