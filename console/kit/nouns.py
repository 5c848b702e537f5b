"""What a kit holds, as frozen values and as JSON. Knows no program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import PermanentError
from engine.text.ages import age_of
from engine.text.jsontext import Malformed, read
from engine.text.words import number

SCHEMA = "blackstart.kit/1"
MANIFEST = "kit.json"


@dataclass(frozen=True)
class KeptSecret:
    """One secret that a rebuild needs: what it is, and the references it may be had from. Never its value."""

    what: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class KeptProgram:
    """One program: its version as it told it, and the SHA-256 of its file ("" where it was not there)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Recipient:
    """Who can open the kit."""

    name: str
    key: str


@dataclass(frozen=True)
class FromKit:
    """The kit that a run works from alone: its file, when it was made (as it says), the commit of the repository in it, and its age
    in seconds, None where that cannot be told."""

    file: str
    made: str
    commit: str
    age_s: float | None

    @property
    def told(self) -> str:
        """In words."""
        age = "of unknown age" if self.age_s is None else f"{number(int(self.age_s // 86400), 'day')} old"
        return f"the kit {self.file} alone, {age}, made on {self.made} at commit {self.commit[:12]}"


@dataclass(frozen=True)
class Manifest:
    """The kit's list of contents. `made` is RFC 3339; paths are relative to the kit's top.

    `settings` and `repository` are where the two lie once the kit is set up, and `authority` the certificate that the clone trusts
    its server by ("" for none of its own). `dirty` was not committed, so it is not in the
    bundle; `elsewhere` are files that the settings name by a place outside both. `files` are checksums of everything.
    """

    house: str
    house_id: str
    simulated: bool
    made: str
    blackstart: str
    commit: str
    branch: str
    url: str
    settings: str
    repository: str
    dirty: tuple[str, ...]
    elsewhere: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    secrets: tuple[KeptSecret, ...]
    programs: tuple[KeptProgram, ...]
    archive: str
    files: Mapping[str, str]
    authority: str = ""

    def to_json(self) -> str:
        """As it lies in the kit."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def moment_of(made: str) -> float | None:
    """When that was (RFC 3339 in UTC) in epoch seconds; None for what is no such time."""
    try:
        return datetime.strptime(made, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def from_kit(file: str, manifest: Manifest, now: float) -> FromKit:
    """Of a kit that was opened at this moment (epoch seconds)."""
    made = moment_of(manifest.made)
    age = None if made is None else age_of(made, now)
    return FromKit(file, manifest.made, manifest.commit, None if age is None else round(age, 1))


def manifest_of(text: str) -> Manifest:
    """The list of a kit that was opened. PermanentError for what is none, or of another schema."""
    try:
        return read(text, _manifest, ours=True)
    except Malformed as error:
        raise PermanentError("the kit's list of contents cannot be read", evidence=(str(error),)) from error


def _manifest(body: dict[str, Any]) -> Manifest:
    if body.pop("schema") != SCHEMA:
        raise PermanentError("the kit is of another schema than this version knows: use the version that made it")
    lists = {
        "dirty": tuple(map(str, body["dirty"])), "elsewhere": tuple(map(str, body["elsewhere"])),
        "recipients": tuple(Recipient(**one) for one in body["recipients"]),
        "secrets": tuple(KeptSecret(one["what"], tuple(map(str, one["sources"]))) for one in body["secrets"]),
        "programs": tuple(KeptProgram(**one) for one in body["programs"]), "files": dict(body["files"]),
    }  # fmt: skip
    found = Manifest(**{**body, **lists})
    _typed(found)
    return found


def _typed(found: Manifest) -> None:
    types: dict[str, type] = {"str": str, "bool": bool}
    for field in fields(found):
        value: Any = getattr(found, field.name)
        if type(value) is not types.get(str(field.type), type(value)):
            raise Malformed(f"{field.name} is of another kind")
    for place in (found.settings, found.repository, found.authority):
        # Whoever knows who can open a kit can make one: what it names may lie nowhere but below the folder it is set up in.
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise Malformed("a place in it leads out of the kit")
