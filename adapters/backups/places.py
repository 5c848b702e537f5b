"""What lies at the place of a repository, told by listing alone: no password, no restic. Knows no verdict.

A place is listed before restic is asked, because restic cannot tell a missing repository from one it cannot reach in less
than its fifteen minutes of retries, nor a wrong password from keys that are gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

FOLDERS = ("keys", "snapshots", "index", "locks")
_KOPIA = re.compile(r"kopia\.(repository|blobcfg)")
_SCP_LIKE = re.compile(r"sftp:(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<path>.*)")
_URL_LIKE = re.compile(r"sftp://(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^:/\[\]]+)(?::(?P<port>\d+))?/(?P<path>.*)")
_S3 = re.compile(r"s3:(?://)?(?:(?P<scheme>https?)://)?(?P<endpoint>[^/]+)/(?P<bucket>[^/]+)/?(?P<prefix>.*)")


@dataclass(frozen=True)
class Contents:
    """The parts of a restic repository that were found. `locks`: when each was written, in seconds since the epoch.

    `config_size` is None when there is no config; `others` are names at the top that belong to no restic repository;
    `packs` tells whether any file of data is left; `detail` says what is remarkable about the place itself.
    """

    config_size: int | None = None
    keys: int = 0
    snapshots: int = 0
    indexes: int = 0
    packs: bool = False
    locks: tuple[float, ...] = ()
    others: tuple[str, ...] = ()
    detail: str = ""

    @property
    def nothing(self) -> bool:
        """Whether the place holds nothing at all."""
        left = self.keys or self.snapshots or self.indexes or self.packs or self.locks or self.others
        return self.config_size is None and not left

    @property
    def foreign_engine(self) -> str:
        """The other backup program that made this, "" when nothing points to one."""
        return "kopia" if any(_KOPIA.match(name) for name in self.others) else ""


class PlaceUnreachable(Exception):
    """The store did not answer, or not sensibly: nothing is known."""


class PlaceRefused(Exception):
    """The store answered that we may not look."""


class Place(Protocol):
    """Somewhere a repository may lie."""

    def contents(self) -> Contents:
        """List it. Raises PlaceUnreachable and PlaceRefused."""


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
