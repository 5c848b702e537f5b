"""Somebody who has the keys of a running house's backups, and restic: what he does to them no verb of the tool does."""

from __future__ import annotations

import subprocess

from engine.text.jsontext import an_object, read_file
from lab.houses.credentials import Credentials
from lab.houses.nouns import HouseFolder
from lab.parts.errors import PartFailed
from lab.parts.programs import find

_TIMEOUT_S = 120.0


def restic(folder: HouseFolder, app: str, *words: str, at: str = "") -> str:
    """What restic says, of an application's repository or of the one `at` an address. PartFailed with its last words."""
    keys, told = Credentials.read(folder.secrets), read_file(folder.endpoints, an_object)
    environment = {
        "RESTIC_REPOSITORY": at or f"{told['s3']['backups']}/{app}",
        "RESTIC_PASSWORD": keys.restic_password.reveal(),
        "AWS_ACCESS_KEY_ID": keys.store_key_id.reveal(),
        "AWS_SECRET_ACCESS_KEY": keys.store_key.reveal(),
        "RESTIC_CACERT": str(folder.ca_file),
        "RESTIC_CACHE_DIR": str(folder.root / "keyholder"),
    }
    argv = [str(find("restic")), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment)
    if done.returncode != 0:
        raise PartFailed(f"restic {words[0]} ended with {done.returncode}", evidence=tuple(done.stderr.splitlines()[-4:]))
    return done.stdout
