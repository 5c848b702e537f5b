"""Opens a repository as far as its snapshots: its keys, its config, its snapshot files. Starts no program and judges nothing.

Read by ourselves, for restic derives its key anew at each start: with all of it looked at by restic, an audit is key derivations.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.backups.opening import Opened
from adapters.backups.repository.sealed import Broken, MasterKey, master_key
from adapters.backups.stores.places import Place, PlaceLacks, PlaceRefused
from engine.secrets import Secret
from engine.text.jsontext import Malformed, an_object, read
from engine.waiting import Clock

FORMATS = (1, 2)
_TRIES = 3
_KEPT_S = 600.0


class FormatUnknown(Exception):
    """A repository of a later format than this reader knows."""


class Restless(Exception):
    """Its files change faster than they can be read."""


class Keyring:
    """Master keys, each derived once in some minutes: that costs as much as all else of a look together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Secret, tuple[str, ...]], tuple[MasterKey, float]] = {}

    def key(self, opened: Opened) -> MasterKey:
        """The key of this repository. Raises NoKeyFits, Broken and the place's errors."""
        place, password = opened.place, opened.env["RESTIC_PASSWORD"]
        assert isinstance(password, Secret)
        names = place.names("keys")  # named by their content: the same names are the same keys
        wanted = (opened.repository.address, password, names)
        with self._lock:
            known = self._known.get(wanted)
        if known is not None and self._clock.monotonic() - known[1] < _KEPT_S:
            return known[0]
        key = master_key([content for _, content in place.read(f"keys/{name}" for name in names)], password)
        with self._lock:
            self._known[wanted] = (key, self._clock.monotonic())
        return key


@dataclass(frozen=True)
class Snapshots:
    """What the snapshot files hold, each with its `id`, in no order; `unread` are the ids of those that cannot be read."""

    told: tuple[dict[str, Any], ...]
    unread: tuple[str, ...] = ()


def read_identity(place: Place, key: MasterKey) -> str:
    """The repository's id out of its config. Raises Broken, FormatUnknown and the place's errors."""
    ((_, sealed),) = place.read(("config",))
    told = document(key, "its config", sealed)
    if told.get("version") not in FORMATS:
        raise FormatUnknown(f"format {told.get('version')}")
    if not told.get("id"):
        raise Broken("its config has no id")
    return str(told["id"])


def read_snapshots(place: Place, key: MasterKey) -> Snapshots:
    """All snapshot files that are there now. Raises the place's errors, and Restless.

    One that goes while it is read was forgotten by a backup at work: then they are listed once more.
    """
    for _ in range(_TRIES):
        names = place.names("snapshots")
        try:
            return _opened(key, _contents(place, names))
        except PlaceLacks:
            continue
    raise Restless("its snapshots change faster than they can be read: is a backup at work?")


def document(key: MasterKey, what: str, sealed: bytes) -> dict[str, Any]:
    """The JSON object that was sealed. Raises Broken, naming `what`."""
    try:
        return read(key.unpacked(sealed), an_object)
    except Broken as error:
        raise Broken(f"{what}: {error}") from error
    except Malformed as error:
        raise Broken(f"{what} is no JSON object") from error


def _contents(place: Place, names: tuple[str, ...]) -> list[tuple[str, bytes | None]]:
    """Each file's bytes; None for one that this user may not read."""
    try:
        return [(name.rpartition("/")[2], content) for name, content in place.read(f"snapshots/{name}" for name in names)]
    except PlaceRefused:
        return [(name, _alone(place, name)) for name in names]


def _alone(place: Place, name: str) -> bytes | None:
    try:
        ((_, content),) = place.read((f"snapshots/{name}",))
    except PlaceRefused:
        return None
    return content


def _opened(key: MasterKey, files: Iterable[tuple[str, bytes | None]]) -> Snapshots:
    told, unread = [], []
    for name, content in files:
        try:
            if content is None or hashlib.sha256(content).hexdigest() != name:
                raise Broken("its content does not fit its name")
            told.append(document(key, "a snapshot", content) | {"id": name})
        except Broken:
            unread.append(name)
    return Snapshots(tuple(told), tuple(unread))
