"""The secrets of one house of the lab, made anew for each: files of mode 0600, so that settings refer to them and hold none."""

from __future__ import annotations

import secrets
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from engine.secrets import Secret
from lab.parts.plane.pki import write_private
from lab.parts.programs import find

TOKEN_ID = "blackstart@pve!lab"  # noqa: S105 - a name, not a secret
FILES = {
    "age_key": "age.key",
    "proxmox_token": "proxmox-token",
    "restic_password": "restic-password",
    "store_key_id": "store-key-id",
    "store_key": "store-key",
    "nas_key": "nas-key",
}


@dataclass(frozen=True)
class Credentials:
    """What opens the doors of one house. `age_recipient` is the public half of `age_key`."""

    age_key: Secret
    age_recipient: str
    proxmox_token: Secret
    restic_password: Secret
    store_key_id: Secret
    store_key: Secret
    nas_key: Secret

    @classmethod
    def make(cls) -> Credentials:
        """New ones."""
        made = subprocess.run(
            [str(find("age-keygen"))], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30
        )
        return cls(
            age_key=Secret(next(line for line in made.stdout.splitlines() if not line.startswith("#"))),
            age_recipient=_recipient(made.stdout),
            proxmox_token=Secret(str(uuid.uuid4())),
            restic_password=Secret(secrets.token_urlsafe(24)),
            store_key_id=Secret(secrets.token_hex(14)),
            store_key=Secret(secrets.token_hex(26)),
            nas_key=Secret(f"3-{secrets.token_hex(32)}"),
        )

    def write(self, folder: Path) -> None:
        """One file each into `folder` (0700)."""
        folder.mkdir(mode=0o700, parents=True)
        for field, name in FILES.items():
            value: Secret = getattr(self, field)
            write_private(folder / name, value.reveal().encode())
        (folder / "age.pub").write_text(self.age_recipient)

    @classmethod
    def read(cls, folder: Path) -> Credentials:
        """Those that `write` left in `folder`."""
        kept = {field: Secret((folder / name).read_text()) for field, name in FILES.items()}
        return cls(age_recipient=(folder / "age.pub").read_text(), **kept)


def _recipient(key_file: str) -> str:
    return next(line for line in key_file.splitlines() if line.startswith("# public key: ")).removeprefix(
        "# public key: "
    )
