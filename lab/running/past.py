"""The past of a house: backups that an earlier cluster left in its store, made by VolSync's mover as that cluster's pods made them.

Knows no cluster: there is none any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from random import Random

from lab.houses.credentials import Credentials
from lab.parts.errors import PartFailed
from lab.parts.pods.contained import Contained
from lab.parts.pods.images import MOVER_ENTRY, mover_files
from lab.parts.pods.podspec import Identity, Mount
from lab.running.house import LabHouse

APPLICATION_UID = 1000
FILES, SIZE = 40, 2048
_AUTHORITY = "/customCA/ca.crt"
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
        ended = self._folder / "exit"
        done = subprocess.run(
            self._mover(cache).argv_in(self._folder, ended),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": _PATH}, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        if done.returncode or not ended.exists() or ended.read_text() != "0":
            raise PartFailed(f"the past backup of {self._app} failed", evidence=tuple(done.stdout.splitlines()[-8:]))
        ended.unlink()

    def _mover(self, cache: Path) -> Contained:
        """A mover pod of the application's, on its volume."""
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        temporary.chmod(0o777)
        return Contained(
            argv=(MOVER_ENTRY, "backup"),
            environment=self._environment(),
            mounts=(
                Mount(self.volume, "/data"),
                Mount(cache, "/cache"),
                Mount(temporary, "/tmp"),  # noqa: S108 - the container's own
                Mount(self._house.folder.ca_file, _AUTHORITY, read_only=True),
            ),
            files=mover_files(),
            identity=Identity(APPLICATION_UID, APPLICATION_UID, (APPLICATION_UID,), frozenset()),
            read_only=True,
        )

    def _environment(self) -> dict[str, str]:
        keys = Credentials.read(self._house.folder.secrets)
        return {
            "DATA_DIR": "/data",
            "PRIVILEGED_MOVER": "0",
            "RESTIC_REPOSITORY": f"{self._house.block.backups}/{self._app}",
            "RESTIC_PASSWORD": keys.restic_password.reveal(),
            "AWS_ACCESS_KEY_ID": keys.store_key_id.reveal(),
            "AWS_SECRET_ACCESS_KEY": keys.store_key.reveal(),
            "CUSTOM_CA": _AUTHORITY,
            "FORGET_OPTIONS": "--keep-last 10",
            "RESTIC_CACHE_DIR": "/cache",
        }

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, APPLICATION_UID, APPLICATION_UID)
