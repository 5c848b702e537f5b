"""`blackstart.lock.yaml`: what each claim's repository was when it was last audited and found good. Holds no secret.

It lies in Git beside the settings, so that an empty or foreign repository is noticed even when everything else is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import SettingsInvalid
from engine.text.words import number
from house.files import yamlfile
from house.files.paths import is_there
from house.files.problems import Problem, problem_at, refuse
from house.files.shapes import mapping
from house.files.whole import write_file
from house.files.yamlfile import Document, YamlInvalid
from house.model import BackedUpClaim, House

LOCK_FILE = "blackstart.lock.yaml"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEAD = "# Written by `invoke dr.audit --lock`: what each claim's backup repository was then. Commit it; do not edit it.\n"
_ANEW = "take the file back from Git, or move it aside and let invoke dr.audit --lock write a new one"
"""Never mended by us: what it knew would be forgotten, and a repository that is gone would pass for one that never was."""


@dataclass(frozen=True)
class LockedClaim:
    """One claim (`namespace/claim`) and its repository: id, complete snapshots, the newest one's bytes and time (epoch seconds)."""

    claim: str
    repository_id: str
    count: int
    bytes: int
    date: float


def lock_path(house: House) -> Path:
    """Where the lock of this house lies: beside its settings file."""
    return house.settings_file.with_name(LOCK_FILE)


def read_lock(file: Path) -> tuple[LockedClaim, ...]:
    """What the lock knows, by claim; nothing when there is none yet. Raises SettingsInvalid for a file that is not one."""
    claims, problems = _read(file)
    if problems:
        raise _refused(list(problems))
    return claims


def lock_problems(file: Path) -> tuple[Problem, ...]:
    """Everything for which `read_lock` refuses a file."""
    return _read(file)[1]


def _read(file: Path) -> tuple[tuple[LockedClaim, ...], tuple[Problem, ...]]:
    if not is_there(file):
        return (), ()
    try:
        documents = yamlfile.load(file, file.name)
    except YamlInvalid as error:
        return (), (error.problem,)
    if not documents:  # no file is no lock; a file that was cut to nothing is a lost one
        return (), (Problem(file.name, 0, "", "is empty", _ANEW),)
    problems = list(yamlfile.duplicate_problems(documents[0]))
    if len(documents) > 1:
        line = documents[1].spot.line
        problems.append(Problem(file.name, line, "", "a second document begins here, which is not read", "keep one document"))
    if not isinstance(mapping(documents[0].value).get("claims"), dict):
        problems.append(Problem(file.name, 1, "claims", "is missing", _ANEW))
    keys = sorted(mapping(mapping(documents[0].value).get("claims")))
    claims = [claim for key in keys if (claim := _claim(documents[0], key, problems)) is not None]
    return tuple(claims), tuple(problems)


def write_lock(file: Path, claims: Iterable[LockedClaim]) -> None:
    """Write these claims, in one piece: a reader sees the old file or the new one.

    What the file knows of other claims stays: a claim whose audit failed today must not be forgotten for it.
    """
    known = {claim.claim: claim for claim in read_lock(file)}
    known.update({claim.claim: claim for claim in claims})
    lines = [_HEAD, "claims:\n" if known else "claims: {}\n"]
    for key, claim in sorted(known.items()):
        lines.append(f'  {key}:\n    repository_id: "{claim.repository_id}"\n    count: {claim.count}\n')
        lines.append(f"    bytes: {claim.bytes}\n    date: {_date(claim.date)}\n")
    write_file(file, "".join(lines))


def drops(locked: LockedClaim, count: int, size: int | None, date: float) -> tuple[str, ...]:
    """What has dropped suddenly since the lock was written, in words: worth a look, since retention and deletion are no failures.

    `size` is None where nobody knows it. Another repository, an empty one and one that is gone are verdicts of the audit.
    """
    told = []
    if count * 2 < locked.count:
        told.append(f"fewer than half of the snapshots that the lock file knows ({count}, then {locked.count})")
    if size is not None and size * 2 < locked.bytes:
        told.append(f"less than half of the bytes that the lock file knows ({size}, then {locked.bytes})")
    if int(date) < int(locked.date):
        told.append(f"a newest snapshot older than the one that the lock file knows ({_date(date)}, then {_date(locked.date)})")
    return tuple(told)


def outgrown(locked: Iterable[LockedClaim], claims: Iterable[BackedUpClaim]) -> list[Problem]:
    """Claims whose newest snapshot was larger, when the lock was written, than the volume that it would be restored into."""
    sizes = {row.claim: row.bytes for row in locked}
    return [
        problem_at(
            claim.declared_in,
            f"{claim.key}: its newest backup had {number(sizes[claim.key], 'byte')} when the lock file was written, and the volume "
            f"that {claim.destination or 'its destination'} makes has {claim.capacity:,}",
            "give it more capacity",
        )
        for claim in claims
        if claim.capacity and sizes.get(claim.key, 0) > claim.capacity
    ]


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime(_TIME)


def _claim(document: Document, key: str, problems: list[Problem]) -> LockedClaim | None:
    body = mapping(document.value["claims"][key])
    values: dict[str, Any] = {name: body.get(name) for name in ("repository_id", "count", "bytes", "date")}
    try:
        date = datetime.strptime(str(values["date"]), _TIME).replace(tzinfo=UTC).timestamp()
        count, size = int(values["count"]), int(values["bytes"])
        if not isinstance(values["repository_id"], str) or count < 0 or size < 0:
            raise ValueError
    except (TypeError, ValueError):
        line = document.line(("claims", key))
        problems.append(Problem(document.name, line, f"claims.{key}", "is no entry of a lock file", _ANEW))
        return None
    return LockedClaim(key, values["repository_id"], count, size, date)


def _refused(problems: list[Problem]) -> SettingsInvalid:
    return refuse(problems, LOCK_FILE)
