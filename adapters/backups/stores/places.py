"""What lies at the place of a repository, told by listing alone: no password, no restic. Knows no verdict.

A place is listed before restic is asked, because restic cannot tell a missing repository from one it cannot reach in less
than its fifteen minutes of retries, nor a wrong password from keys that are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.files import content

FOLDERS = ("keys", "snapshots", "index", "locks")
_ID = re.compile(r"[0-9a-fA-F]{64}")
_KOPIA = re.compile(r"kopia\.(repository|blobcfg)")
_SCP_LIKE = re.compile(r"sftp:(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<path>.*)")
_URL_LIKE = re.compile(r"sftp://(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^:/\[\]]+)(?::(?P<port>\d+))?/(?P<path>.*)")
_S3 = re.compile(r"s3:(?://)?(?:(?P<scheme>https?)://)?(?P<endpoint>[^/]+)/(?P<bucket>[^/]+)/?(?P<prefix>.*)")


@dataclass(frozen=True)
class Contents:
    """The parts of a restic repository that were found. `locks`: when each was written, in seconds since the epoch.

    `config_size` is None when there is no config; `others` are names at the top that belong to no restic repository;
    `packs` tells whether any file of data is left; `hollow` are files of no bytes among the indexes; `snapshots_written`
    says when each snapshot file was written, by its id (epoch seconds); `strays` are files of those folders that restic passes
    over (`index/.DS_Store`); `no_files` says of what is named as restic names its files and is none what it is (`config is a
    pipe`); `detail` says what is remarkable about the place itself.
    """

    config_size: int | None = None
    keys: int = 0
    snapshots: int = 0
    indexes: int = 0
    packs: bool = False
    locks: tuple[float, ...] = ()
    others: tuple[str, ...] = ()
    detail: str = ""
    hollow: tuple[str, ...] = ()
    snapshots_written: tuple[tuple[str, float], ...] = ()
    strays: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether the place holds nothing at all."""
        left = self.keys or self.snapshots or self.indexes or self.packs or self.locks
        return self.config_size is None and not (left or self.others or self.strays or self.no_files)

    @property
    def foreign_engine(self) -> str:
        """The other backup program that made this, "" when nothing points to one."""
        return "kopia" if any(_KOPIA.match(name) for name in self.others) else ""


@dataclass(frozen=True)
class Found:
    """One file of a listing: its name in its folder, its size in bytes, when it was written (epoch seconds)."""

    name: str
    size: int
    written: float


@dataclass(frozen=True)
class Listed:
    """A folder of files, and what else is in it: name → "a named pipe", say."""

    files: tuple[Found, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


def no_file(mode: int | None) -> str:
    """What this is instead of a file, by its mode behind all links, None for a link that leads nowhere; "" for a file."""
    return "a link that leads nowhere" if mode is None else content.no_file(mode)


@dataclass(frozen=True)
class Packs:
    """Every file of data: pack id → bytes; `closed` are those that this user may not read."""

    sizes: Mapping[str, int]
    closed: frozenset[str] = frozenset()


def at_home(folder: str, pack: str) -> bool:
    """Whether restic would look for this pack in this folder of data: it asks nowhere else."""
    return _is_id(pack) and pack[:2] == folder


def ids(found: Iterable[Found]) -> tuple[str, ...]:
    """The names among these that are restic's, sorted: it passes over all others, be they half written, renamed or a desktop's."""
    return tuple(sorted(one.name for one in found if _is_id(one.name)))


def dates(found: Iterable[Found]) -> dict[str, float]:
    """When each that is named as restic names its files was written, by name."""
    return {one.name: one.written for one in sorted(found, key=lambda one: one.name) if _is_id(one.name)}


def _is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None


class PlaceUnreachable(Exception):
    """The store did not answer, or not sensibly: nothing is known."""


class PlaceRefused(Exception):
    """The store answered that we may not look. `hint` says what would help, "" for what usually does."""

    def __init__(self, told: str, hint: str = "") -> None:
        super().__init__(told)
        self.hint = hint


class PlaceLacks(Exception):
    """A file that was asked for is not there."""


def assembled(
    config_size: int | None, folders: Mapping[str, Listed], packs: bool, others: Iterable[str], detail: str = "", config: str = ""
) -> Contents:
    """Contents out of the listed folders of FOLDERS (missing: nothing was in it); `config`: what is in its place, "" for a file."""
    listed = {name: folders[name].files if name in folders else () for name in FOLDERS}
    keys, snapshots, index, locks = (tuple(found for found in listed[name] if _is_id(found.name)) for name in FOLDERS)
    return Contents(
        config_size=config_size,
        keys=len(keys),
        snapshots=len(snapshots),
        indexes=len(index),
        packs=packs,
        locks=tuple(found.written for found in locks),
        others=tuple(sorted(others)),
        detail=detail,
        hollow=tuple(sorted(found.name for found in index if not found.size)),
        snapshots_written=tuple((found.name, found.written) for found in snapshots),
        strays=tuple(sorted(f"{name}/{found.name}" for name in FOLDERS for found in listed[name] if not _is_id(found.name))),
        no_files=(
            *((f"config is {config}",) if config else ()),
            *(
                f"{name}/{odd[:8]}… is {what}"
                for name, folder in folders.items() for odd, what in sorted(folder.others.items()) if _is_id(odd)
            ),
        ),
    )  # fmt: skip


class Place(Protocol):
    """Somewhere a repository may lie."""

    def contents(self) -> Contents:
        """List it. Raises PlaceUnreachable and PlaceRefused, as all of these do."""

    def names(self, folder: str) -> tuple[str, ...]:
        """The files of one of FOLDERS that are named as restic names them, sorted."""

    def dated(self, folder: str) -> Mapping[str, float]:
        """As `names`, each with when it was written by the store's clock (epoch seconds)."""

    def ahead(self, now: float) -> float | None:
        """By how many seconds this machine's clock, which says `now`, is ahead of the store's; None where that tells no time."""

    def packs(self) -> Packs:
        """Every file of data with its size."""

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Whole files, named from the repository's root (`index/…`), in any order. PlaceLacks for one that is not there."""

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """So many bytes of a file from there on; fewer where it ends. PlaceLacks when it is not there."""

    def remove(self, name: str) -> None:
        """Delete one file, named from the repository's root. PlaceLacks when it is not there, where the store says so."""


@dataclass(frozen=True)
class S3Address:
    """`s3:https://endpoint/bucket/prefix`; the prefix without slashes at its ends, "" for the bucket's root."""

    endpoint: str
    bucket: str
    prefix: str


@dataclass(frozen=True)
class SftpAddress:
    """`sftp:user@host:/path` or `sftp://user@host:port//path`."""

    user: str
    host: str
    port: int
    path: str


def s3_address(address: str) -> S3Address | None:
    """The parts of an S3 repository's address, None when it is none."""
    found = _S3.fullmatch(address)
    if found is None:
        return None
    endpoint = f"{found['scheme'] or 'https'}://{found['endpoint']}"
    return S3Address(endpoint, found["bucket"], found["prefix"].strip("/"))


def sftp_address(address: str) -> SftpAddress | None:
    """The parts of an SFTP repository's address, None when it is none."""
    found = _URL_LIKE.fullmatch(address)
    if found is not None:
        return SftpAddress(found["user"] or "", found["host"].strip("[]"), int(found["port"] or 22), found["path"] or ".")
    found = _SCP_LIKE.fullmatch(address)
    if found is not None:
        return SftpAddress(found["user"] or "", found["host"].strip("[]"), 22, found["path"] or ".")
    return None
