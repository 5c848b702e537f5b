"""The Archives port on boto3: lists an archive as barman-cloud writes it. Restores nothing, and knows no database.

Layout (of CloudNativePG's plugin and its older in-tree form alike): `SERVER/base/ID/`, a base backup with its `backup.info`;
`SERVER/wals/TIMELINE+LOG/SEGMENT[.gz|.bz2|…]`, the write-ahead log.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from adapters.archives.bases import Base, read_base
from adapters.archives.log import Segment, reach, segment_of
from adapters.archives.points import base_for, point_of
from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint
from adapters.backups.places import s3_address
from adapters.backups.s3 import DEFAULT_REGION, S3Clients, S3Credentials
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.secrets import Secret
from house.model import DatabaseArchive

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403"}
_ZONE_S = 14 * 3600
"""What names a base backup is the clock on the wall where it was made."""
_NEWEST = 8
"""How many of the newest base backups are asked whether they ended well: what failed is kept beside the good ones."""


class S3Archives:
    """Implements ArchivesView."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._clients = S3Clients()

    def look(self, archive: DatabaseArchive) -> ArchiveLook:
        """One look. A secret that cannot be had, or an address of another form, is UNKNOWN."""
        try:
            return self._server(archive).look()
        except ClientError as error:
            return _answered(error, archive.place)
        except BotoCoreError as error:
            return ArchiveLook(ArchiveVerdict.UNREACHABLE, f"{archive.place}: {error}")
        except BlackstartError as error:
            return ArchiveLook(ArchiveVerdict.UNKNOWN, "; ".join((error.what, *error.evidence)))

    def point(self, archive: DatabaseArchive, as_of: float) -> RecoveryPoint:
        """See ports.ArchivesView. TransientError where the store gave no answer."""
        try:
            return self._server(archive).point(as_of)
        except (ClientError, BotoCoreError) as error:
            look = _answered(error, archive.place) if isinstance(error, ClientError) else None
            told = (look.verdict.value, look.detail) if look is not None else ("unreachable", f"{archive.place}: {error}")
            kind = TransientError if look is None or look.verdict is ArchiveVerdict.UNREACHABLE else PermanentError
            raise kind(f"the archive of {archive.key} cannot be read: {told[0]}", evidence=(told[1],)) from error

    def _server(self, archive: DatabaseArchive) -> _Server:
        """What the archive's place is opened with. PermanentError where it or its keys are not told."""
        address = s3_address(archive.place)
        if address is None:
            raise PermanentError(archive.note or f"{archive.place or 'its place'} is no address of S3")
        given = {name: self._secrets.resolve_as(name, reference) for name, reference in archive.environment}
        lacking = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name not in given]
        if lacking:
            raise PermanentError(f"no {' and '.join(lacking)} is given: backups.databases.{archive.key}.environment")
        region = given.get("AWS_DEFAULT_REGION") or given.get("AWS_REGION")
        key, token = (given.get(name) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
        assert isinstance(key, Secret)  # resolve_as: only ids and places are plain
        credentials = S3Credentials(
            str(given["AWS_ACCESS_KEY_ID"]), key, token if isinstance(token, Secret) else None,
            str(region) if region else DEFAULT_REGION, archive.ca_file,
        )  # fmt: skip
        client = self._clients.get(address.endpoint, credentials)
        return _Server(client, address.bucket, f"{address.prefix}/" if address.prefix else "")


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
        asked = bases[:_NEWEST]
        ended = [base for name in asked if (base := self._ended(name)) is not None]
        good = [base for base in ended if not base.lacks]
        odd = _odd(len(asked), ended)
        if not good:
            begun = f"{len(bases)} were begun, and none of the newest {len(asked)} ended well"
            told = ("; ".join(odd) if ended else begun) if bases else "the log alone"
            return ArchiveLook(ArchiveVerdict.NO_BASE, told, segment=segment, segment_time=written)
        newest, *older = sorted(good, key=lambda one: one.ended, reverse=True)
        look = ArchiveLook(
            ArchiveVerdict.OK, "; ".join(odd), len(good) + len(bases) - len(asked), newest.name, newest.ended, segment, written
        )
        if not segment:
            return replace(look, verdict=ArchiveVerdict.NO_LOG)
        return self._with_log(look, newest, older)

    def point(self, as_of: float) -> RecoveryPoint:
        """What a restore to that time is promised. PermanentError where there is no way to it."""
        bases = sorted(self._folders("base/"), reverse=True)
        # Named by when they began: of those that began later than that none had ended by then.
        latest = time.strftime("%Y%m%dT%H%M%S", time.gmtime(as_of + _ZONE_S)) if as_of else "9"
        asked = [name for name in bases if not name[:1].isdecimal() or name <= latest][:_NEWEST]
        base = base_for([one for name in asked if (one := self._ended(name)) is not None], as_of)
        return point_of(base, list(self._segments_from(base.begin_wal)), as_of)

    def _with_log(self, look: ArchiveLook, base: Base, older: Sequence[Base]) -> ArchiveLook:
        """How far the log takes the base backup: the segment that is told is the last one that a restore reaches."""
        found = reach(base, self._segments_from(base.begin_wal))
        needs = f"base backup {base.name} needs all from {base.begin_wal} to {base.end_wal}"
        if found.missing:
            told = f"segment {found.missing} {'has no bytes' if found.hollow else 'is not there'}, and {needs}"
            detail = "; ".join(filter(None, (told, look.detail, self._older_one(older))))
            return replace(look, verdict=ArchiveVerdict.NO_LOG, detail=detail)
        assert found.last is not None  # nothing is missing
        told = f"the log has a gap between {found.last.name} and {found.beyond}: no restore goes beyond it" if found.beyond else ""
        detail = "; ".join(filter(None, (told, look.detail)))
        return replace(look, detail=detail, segment=found.last.name, segment_time=found.last.written)

    def _older_one(self, older: Sequence[Base]) -> str:
        """Which of the base backups before the newest, newest first, has all the log that it needs; "" where there is no other."""
        for one in older:
            if not reach(one, self._segments_from(one.begin_wal)).missing:
                return f"base backup {one.name} has all the log that it needs: recoveryTarget.backupID takes it"
        return "no other of the newest base backups has all of its log either" if older else ""

    def _newest_segment(self) -> tuple[str, float | None]:
        """The last segment by name of the newest folder that holds any: (name, when written)."""
        for folder in sorted(self._folders("wals/"), reverse=True):
            if found := [(one.name, one.written) for one in self._segments(folder)]:
                return max(found)
        return "", None

    def _segments_from(self, begin: str) -> Iterator[Segment]:
        """All of the log from there on: of its own timeline and of later ones."""
        for folder in self._folders("wals/"):
            if folder[:8] >= begin[:8] and folder[8:16] >= begin[8:16]:
                yield from self._segments(folder)

    def _segments(self, folder: str) -> Iterator[Segment]:
        for item in self._objects(f"{self.prefix}wals/{folder}/"):
            name = item["Key"].rpartition("/")[2]
            if (found := segment_of(name, item["Size"], item["LastModified"].timestamp())) is not None:
                yield found

    def _ended(self, base: str) -> Base | None:
        """A base backup that ended well; None for one that did not, or that is still being written."""
        folder = f"{self.prefix}base/{base}/"
        try:
            body = self.client.get_object(Bucket=self.bucket, Key=f"{folder}backup.info")["Body"].read(1 << 20)
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) in ("NoSuchKey", "404"):
                return None
            raise
        sizes = {item["Key"].removeprefix(folder): item["Size"] for item in self._objects(folder)}
        return read_base(base, body.decode("utf-8", "replace"), sizes)

    def _folders(self, below: str) -> Iterator[str]:
        prefix = f"{self.prefix}{below}"
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).strip("/")

    def _objects(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from page.get("Contents", [])


def _odd(asked: int, ended: Sequence[Base]) -> tuple[str, ...]:
    """What is wrong with some of the newest base backups."""
    failed, lacking = asked - len(ended), [base for base in ended if base.lacks]
    told = [f"{failed} of the newest base backups did not end well"] if failed else []
    if lacking:
        told.append(f"{len(lacking)} of the newest base backups cannot be restored: of {lacking[0].name} {lacking[0].lacks}")
    return tuple(told)


def _answered(error: ClientError, endpoint: str) -> ArchiveLook:
    told = error.response.get("Error", {})
    code, status = str(told.get("Code", "")), str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    words = f"{endpoint} answered {status} {code}: {told.get('Message', '')}".rstrip(": ")
    if code == "NoSuchBucket":
        return ArchiveLook(ArchiveVerdict.MISSING, "there is no such bucket")
    if code in _REFUSED:
        return ArchiveLook(ArchiveVerdict.REFUSED, words)
    return ArchiveLook(ArchiveVerdict.UNREACHABLE, words)
