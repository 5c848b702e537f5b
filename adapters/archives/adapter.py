"""The Archives port on boto3: opens an archive's folder in a bucket, for server.py to read. Restores nothing, knows no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint, Undecided
from adapters.archives.server import ArchiveServer, StoredFile
from adapters.backups.stores.places import s3_address
from adapters.backups.stores.s3 import DEFAULT_REGION, S3Clients, S3Credentials
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError, TransientError
from engine.secrets import Secret
from house.values.databases import DatabaseArchive

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403"}


_READ = {
    ArchiveVerdict.REFUSED: "see the references of this database under backups.databases, and what its key may",
    ArchiveVerdict.MISSING: "compare the bucket's name with the one that the database writes to",
}
"""What helps where an archive could not be read."""


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
        """See archives.port.ArchivesView. TransientError where the store gave no answer."""
        try:
            return self._server(archive).point(as_of)
        except (ClientError, BotoCoreError) as error:
            look = _answered(error, archive.place) if isinstance(error, ClientError) else None
            told = (look.verdict.value, look.detail) if look is not None else ("unreachable", f"{archive.place}: {error}")
            kind = TransientError if look is None or look.verdict is ArchiveVerdict.UNREACHABLE else Undecided
            hint = "" if look is None else _READ.get(look.verdict, "")
            raise kind(f"the archive of {archive.key} cannot be read: {told[0]}", evidence=(told[1],), hint=hint) from error

    def _server(self, archive: DatabaseArchive) -> ArchiveServer:
        """What the archive's place is opened with. Undecided where it or its keys are not told."""
        address = s3_address(archive.place)
        if address is None:
            raise Undecided(archive.note or f"{archive.place or 'its place'} is no address of S3")
        given = {name: self._secrets.resolve_as(name, reference) for name, reference in archive.environment}
        lacking = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name not in given]
        if lacking:
            raise Undecided(f"no {' and '.join(lacking)} is given: backups.databases.{archive.key}.environment")
        region = given.get("AWS_DEFAULT_REGION") or given.get("AWS_REGION")
        key, token = (given.get(name) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
        assert isinstance(key, Secret)  # resolve_as: only ids and places are plain
        credentials = S3Credentials(
            str(given["AWS_ACCESS_KEY_ID"]), key, token if isinstance(token, Secret) else None,
            str(region) if region else DEFAULT_REGION, archive.ca_file,
        )  # fmt: skip
        client = self._clients.get(address.endpoint, credentials)
        folder = _Folder(client, address.bucket, f"{address.prefix}/" if address.prefix else "")
        return ArchiveServer(folder, f"bucket {address.bucket} at {folder.prefix}")


@dataclass(frozen=True)
class _Folder:
    """One server's folder in the bucket (server.Files)."""

    client: S3Client
    bucket: str
    prefix: str

    def folders(self, below: str) -> Iterator[str]:
        """See server.Files."""
        prefix = f"{self.prefix}{below}"
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).strip("/")

    def under(self, below: str) -> Iterator[StoredFile]:
        """See server.Files."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}{below}"):
            for item in page.get("Contents", []):
                yield StoredFile(item["Key"].removeprefix(self.prefix), item["Size"], item["LastModified"].timestamp())

    def read(self, path: str) -> str | None:
        """See server.Files."""
        try:
            body = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}{path}")["Body"].read(1 << 20)
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code")) in ("NoSuchKey", "404"):
                return None
            raise
        return body.decode("utf-8", "replace")


def _answered(error: ClientError, endpoint: str) -> ArchiveLook:
    told = error.response.get("Error", {})
    code, status = str(told.get("Code", "")), str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    words = f"{endpoint} answered {status} {code}: {told.get('Message', '')}".rstrip(": ")
    if code == "NoSuchBucket":
        return ArchiveLook(ArchiveVerdict.MISSING, "there is no such bucket")
    if code in _REFUSED:
        return ArchiveLook(ArchiveVerdict.REFUSED, words)
    return ArchiveLook(ArchiveVerdict.UNREACHABLE, words)
