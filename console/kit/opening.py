"""A kit opened for work: into a folder that a person names, or into a private one for as long as a rehearsal takes."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.age.adapter import Age
from adapters.git.bundle import GitBundles
from console.kit.checking import Bench, Finding, on_this_machine
from console.kit.nouns import Manifest
from console.kit.rooms import workroom
from console.kit.secrets import named_references
from console.kit.unfolding import HOUSE, KIT, bring, of_people, open_kit, opened_by, put, set_up
from console.opened.building import builder
from engine.errors import EvidenceChanged, PermanentError, SettingsInvalid
from engine.files.whole import put_in_place
from engine.secrets import Secret
from house.files.paths import is_folder, is_there
from house.loader import load
from house.model import House


@dataclass(frozen=True)
class Sealed:
    """A kit as it is handed over: its file, the key that opens it, and the folder with the files that people keep, if any."""

    file: Path
    identity: Path | Secret
    kept: Path | None = None


@dataclass(frozen=True)
class Unpacked:
    """A kit in a folder: where its settings are, its list of contents, and what this machine has of what it needs."""

    settings: Path
    manifest: Manifest
    findings: tuple[Finding, ...]

    @property
    def lacking(self) -> tuple[Finding, ...]:
        """What must be seen to first."""
        return tuple(one for one in self.findings if not one.good)


def unpack(sealed: Sealed, into: Path) -> Unpacked:
    """Open it into a folder that is new or empty, whole or not at all: the kit itself below `kit`, the house as it lay below
    `house`, and the files that people keep where they are looked for, the key that opened it among them where that is the
    house's own. Raises SettingsInvalid, PermanentError, EvidenceChanged."""
    refuse_used(into)
    with workroom() as (_, runner):
        age, git = Age(runner), GitBundles(runner)
        with _room_in(into) as room:
            manifest, _ = _laid_out(sealed, age, git, room, into / HOUSE)
            for name in (KIT, HOUSE):
                put_in_place(room / name, into / name)
        top = into / HOUSE
        public = age.public(sealed.identity)
        bench = Bench(runner, git, builder(), sealed.identity, public, os.environ, time.time(), sealed.kept)
        house = load(top / manifest.settings, bench.builder)
        _lay(house, sealed, public, top)
        return Unpacked(top / manifest.settings, manifest, tuple(on_this_machine(manifest, bench, house, top)))


def _laid_out(sealed: Sealed, age: Age, git: GitBundles, room: Path, at: Path | None = None) -> tuple[Manifest, Path]:
    """The kit below `kit`, its house below `house` of the room (`at`: where that will be moved to); its list of contents, and the
    settings. EvidenceChanged where the repository in it is not at the commit that it says."""
    manifest, folder = open_kit(sealed.file, sealed.identity, age, room)
    settings, commit = set_up(manifest, folder, git, room / HOUSE, at)
    if commit != manifest.commit:
        raise EvidenceChanged(f"{sealed.file} holds the repository at {commit[:12]}, and says {manifest.commit[:12]}")
    return manifest, settings


def refuse_used(into: Path) -> None:
    """Raise SettingsInvalid unless the folder is new or empty and its parent is there."""
    if is_there(into) and (not is_folder(into) or any(into.iterdir())):
        raise SettingsInvalid(f"--into {into} is there and not empty", hint="name a folder that is new or empty")
    if not is_folder(into.parent):
        raise SettingsInvalid(f"--into {into} lies in what is no folder", hint="make that folder first, or name another place")


@contextmanager
def _room_in(into: Path) -> Iterator[Path]:
    """A folder within it to work in (it may be a mount point, or in a folder that is not ours); of what fails nothing stays."""
    made = not is_there(into)
    try:
        into.mkdir(exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=into))
    except OSError as error:
        raise PermanentError(f"{into} cannot be written to: {error.strerror}", hint="name another place") from error
    try:
        yield room
    except OSError as error:
        raise PermanentError(f"{into} cannot be written to: {error.strerror}", hint="name another place") from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
        if made:
            with suppress(OSError):  # not empty: all went well
                into.rmdir()


def _lay(house: House, sealed: Sealed, public: frozenset[str], top: Path) -> None:
    """The files that people keep, as copies that are this user's alone."""
    for _, ref in named_references(house):
        bring(ref, sealed.kept, top, copy=True)
    if isinstance(sealed.identity, Path) and house.age_recipient in public:
        for place in of_people(house.age_key, top)[:1]:
            put(sealed.identity, place, copy=True)


@contextmanager
def house_of(sealed: Sealed) -> Iterator[tuple[House, Manifest]]:
    """The house of a kit in a private folder that is gone afterwards, with a state folder of its own in there: what this machine
    knows of the house besides plays no part. Raises as `unpack` does."""
    with workroom() as (room, runner):
        age = Age(runner)
        manifest, settings = _laid_out(sealed, age, GitBundles(runner), room)
        house = opened_by(load(settings, builder()), sealed.identity, age.public(sealed.identity))
        for _, ref in named_references(house):
            bring(ref, sealed.kept, room / HOUSE)
        yield replace(house, state_dir=room / "state"), manifest
