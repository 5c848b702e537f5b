"""Snapshots of etcd that only named people, and the house's own key, can open: sealed with age, each with a note of what is in it.

The note (`NAME.json`) holds what was seen when it was sealed and the SHA-256 of the sealed file, and no secret: so a folder of them
is listed without opening each. Whoever relies on one opens it, and reads all of it (`opened`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from adapters.age.adapter import Age
from adapters.etcd.results import EtcdSnapshot
from engine.errors import PermanentError
from engine.files.whole import put_in_place, write_whole
from engine.secrets import Secret
from engine.text.jsontext import Malformed, read_file

ENDING = ".age"
NOTE = ".json"
ROOM = "opened-"
PART = ".part"
_CHUNK = 1 << 20


class Sealing:
    """`recipients` are public keys from the settings, none: nothing is sealed. `identity` answers the house's own age key."""

    def __init__(self, age: Age, recipients: tuple[str, ...], identity: Callable[[], Secret]) -> None:
        self._age, self._recipients, self._identity = age, recipients, identity

    @property
    def wanted(self) -> bool:
        """Whether what is taken is to be sealed."""
        return bool(self._recipients)

    def seal(self, plain: Path, sealed: Path, seen: EtcdSnapshot) -> None:
        """Into `sealed`, on the disk, and the note beside it; for the house's own key too, or a recovery would have to wait for a
        person. PermanentError where age refuses, or the house has no key that could open it."""
        own = self._age.public(self._identity())
        if not own:
            raise PermanentError(
                "the house's own age key has no public half, so that a recovery could not open what is sealed",
                hint="sops.age_key must be an age key (AGE-SECRET-KEY-1…), not one of SSH",
            )
        part = sealed.with_name(f"{sealed.name}{PART}")
        try:
            self._age.seal(plain, part, (*sorted(own), *(one for one in self._recipients if one not in own)))
            part.chmod(0o600)
            note = json.dumps({"sha256": _sha256(part), "seen": asdict(seen)}) + "\n"
            write_whole(sealed.with_name(f"{sealed.name}{NOTE}"), note)
            put_in_place(part, sealed)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def opened(self, sealed: Path, folder: Path) -> Iterator[Path]:
        """The plain file for as long as it is looked at or read from, in a room of its own below `folder`, for us alone.
        PermanentError where the house's key does not open it."""
        room = Path(tempfile.mkdtemp(prefix=ROOM, suffix=PART, dir=folder))
        try:
            plain = room / sealed.name.removesuffix(ENDING)
            self._age.unseal(sealed, plain, self._identity())
            yield plain
        finally:
            shutil.rmtree(room, ignore_errors=True)


def noted(sealed: Path) -> EtcdSnapshot | None:
    """What its note says, None where there is none, or it is not of this very file."""

    def made(told: dict[str, Any]) -> EtcdSnapshot | None:
        seen, wanted = told["seen"], {one.name for one in fields(EtcdSnapshot)}
        if told["sha256"] != _sha256(sealed) or set(seen) != wanted:
            return None
        return EtcdSnapshot(**{**seen, "members": tuple(seen["members"])})

    try:
        return read_file(sealed.with_name(f"{sealed.name}{NOTE}"), made)
    except (OSError, Malformed):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
