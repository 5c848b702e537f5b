"""The Archives port on boto3: lists an archive as barman-cloud writes it. Restores nothing, and knows no database.

Layout (of CloudNativePG's plugin and its older in-tree form alike): `SERVER/base/ID/backup.info`, text with `status=DONE` and
`end_time=` and `end_wal=`, the segment that it needs at least; `SERVER/wals/TIMELINE+LOG/SEGMENT[.gz|.bz2|…]`, whose names order as
the log does within one timeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from adapters.backups.places import s3_address
from adapters.backups.s3 import DEFAULT_REGION, S3Clients, S3Credentials
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError
from engine.secrets import Secret
from house.model import DatabaseArchive

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_DONE = re.compile(r"^status=DONE\s*$", re.MULTILINE)
_ENDED = re.compile(r"^end_time=['\"]?([^'\"\n]+)", re.MULTILINE)
_END_WAL = re.compile(r"^end_wal=['\"]?([0-9A-F]{24})\b", re.MULTILINE)
_SEGMENT = re.compile(r"([0-9A-F]{24})(?:\.[a-z0-9]+)?")
_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403"}
_NEWEST = 8
"""How many of the newest base backups are asked whether they ended well: what failed is kept beside the good ones."""


class S3Archives:
    """Implements ArchivesView."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._clients = S3Clients()

    def look(self, archive: DatabaseArchive) -> ArchiveLook:
        """One look. A secret that cannot be had, or an address of another form, is UNKNOWN."""
        address = s3_address(archive.place)
        if address is None:
            return ArchiveLook(ArchiveVerdict.UNKNOWN, archive.note or f"{archive.place or 'its place'} is no address of S3")
        try:
            given = {name: self._secrets.resolve_as(name, reference) for name, reference in archive.environment}
            lacking = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name not in given]
            if lacking:
                told = f"no {' and '.join(lacking)} is given: backups.databases.{archive.key}.environment"
                return ArchiveLook(ArchiveVerdict.UNKNOWN, told)
            region = given.get("AWS_DEFAULT_REGION") or given.get("AWS_REGION")
            key, token = (given.get(name) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
            assert isinstance(key, Secret)  # resolve_as: only ids and places are plain
            credentials = S3Credentials(
                str(given["AWS_ACCESS_KEY_ID"]), key, token if isinstance(token, Secret) else None,
                str(region) if region else DEFAULT_REGION, archive.ca_file,
            )  # fmt: skip
            client = self._clients.get(address.endpoint, credentials)
            return _Server(client, address.bucket, f"{address.prefix}/" if address.prefix else "").look()
        except ClientError as error:
            return _answered(error, address.endpoint)
        except BotoCoreError as error:
            return ArchiveLook(ArchiveVerdict.UNREACHABLE, f"{address.endpoint}: {error}")
        except BlackstartError as error:
            return ArchiveLook(ArchiveVerdict.UNKNOWN, "; ".join((error.what, *error.evidence)))


@dataclass(frozen=True)
class _Base:
    """One base backup that ended well: when (seconds since the epoch), and the last segment that it needs, "" if it is silent."""

    name: str
    ended: float
    end_wal: str


@dataclass(frozen=True)
class _Server:
    """One server's folder in the bucket."""

    client: S3Client
    bucket: str
    prefix: str

    def look(self) -> ArchiveLook:
        bases = sorted(self._folders("base/"), reverse=True)
        segment, written = self._newest_segment()
        if not bases and not segment:
            return ArchiveLook(ArchiveVerdict.EMPTY, f"bucket {self.bucket} was listed, nothing is at {self.prefix}")
        good = [ended for name in bases[:_NEWEST] if (ended := self._ended(name)) is not None]
        more = max(0, len(bases) - _NEWEST)
        if not good:
            begun = f"{len(bases)} were begun, and none of the newest {min(len(bases), _NEWEST)} ended well"
            told = begun if bases else "the log alone"
            return ArchiveLook(ArchiveVerdict.NO_BASE, told, segment=segment, segment_time=written)
        newest = max(good, key=lambda one: one.ended)
        # Segments are named in the order of the log, and those of a later timeline come after all of an earlier one.
        reaches = bool(segment) and segment >= newest.end_wal
        failed = min(len(bases), _NEWEST) - len(good)
        told = f"{failed} of the newest base backups did not end well" if failed else ""
        if segment and not reaches:
            told = f"it ends with {segment}, and the base backup needs it up to {newest.end_wal}"
        verdict = ArchiveVerdict.OK if reaches else ArchiveVerdict.NO_LOG
        return ArchiveLook(verdict, told, len(good) + more, newest.name, newest.ended, segment, written)

    def _newest_segment(self) -> tuple[str, float | None]:
        """The last segment by name of the newest folder that holds any: (name, when written)."""
        for folder in sorted(self._folders("wals/"), reverse=True):
            found = [
                (match[1], item["LastModified"].timestamp())
                for item in self._objects(f"{self.prefix}wals/{folder}/")
                if (match := _SEGMENT.fullmatch(item["Key"].rpartition("/")[2]))
            ]
            if found:
                return max(found)
        return "", None

    def _ended(self, base: str) -> _Base | None:
        """A base backup that ended well; None for one that did not, or that is still being written."""
        try:
            body = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}base/{base}/backup.info")["Body"].read(1 << 20)
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) in ("NoSuchKey", "404"):
                return None
            raise
        text = body.decode("utf-8", "replace")
        ended = _ENDED.search(text)
        if not _DONE.search(text) or ended is None:
            return None
        moment, end_wal = _time(ended[1]), _END_WAL.search(text)
        return _Base(base, moment, end_wal[1] if end_wal else "") if moment is not None else None

    def _folders(self, below: str) -> Iterator[str]:
        prefix = f"{self.prefix}{below}"
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).strip("/")

    def _objects(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from page.get("Contents", [])


def _time(text: str) -> float | None:
    """barman writes `2026-01-02 03:04:05.678+00:00`, older ones the words of ctime."""
    for form in ("%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z", "%a %b %d %H:%M:%S %Y"):
        try:
            read = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    return None


def _answered(error: ClientError, endpoint: str) -> ArchiveLook:
    told = error.response.get("Error", {})
    code, status = str(told.get("Code", "")), str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    words = f"{endpoint} answered {status} {code}: {told.get('Message', '')}".rstrip(": ")
    if code == "NoSuchBucket":
        return ArchiveLook(ArchiveVerdict.MISSING, "there is no such bucket")
    if code in _REFUSED:
        return ArchiveLook(ArchiveVerdict.REFUSED, words)
    return ArchiveLook(ArchiveVerdict.UNREACHABLE, words)
