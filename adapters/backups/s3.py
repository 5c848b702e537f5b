"""A repository in a bucket, listed with boto3 set up for stores that are not AWS (Storj above all). Knows no restic."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from adapters.backups.places import FOLDERS, Contents, PlaceRefused, PlaceUnreachable, S3Address
from engine.secrets import Secret

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

DEFAULT_REGION = "us-east-1"  # any fixed word: it spares a look-up, and Storj does not check it

_REFUSED = {
    "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed",
    "401", "403",
}  # fmt: skip
_ACCOUNT = {"BandwidthLimitExceeded", "StorageLimitExceeded", "SegmentsLimitExceeded"}


@dataclass(frozen=True)
class S3Credentials:
    """What the requests are signed with; `ca_file` "" for the machine's own certificates."""

    key_id: Secret
    key: Secret
    session_token: Secret | None = None
    region: str = DEFAULT_REGION
    ca_file: str = ""


class S3Clients:
    """Clients by endpoint and credentials: they are thread-safe, and slow to make."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, S3Credentials], S3Client] = {}

    def get(self, endpoint: str, credentials: S3Credentials) -> S3Client:
        """The client for this endpoint. Checksums only where required, and path style: see Storj's limits."""
        with self._lock:
            key = (endpoint, credentials)
            if key not in self._known:
                self._known[key] = boto3.session.Session().client(
                    "s3",
                    endpoint_url=endpoint,
                    aws_access_key_id=credentials.key_id.reveal(),
                    aws_secret_access_key=credentials.key.reveal(),
                    aws_session_token=credentials.session_token.reveal() if credentials.session_token else None,
                    region_name=credentials.region,
                    verify=credentials.ca_file or None,
                    config=Config(
                        # The new checksum trailers of boto3 are refused by most stores but AWS.
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                        s3={"addressing_style": "path"},
                        retries={"mode": "standard", "max_attempts": 4},
                        connect_timeout=10,
                        read_timeout=60,
                        max_pool_connections=16,
                    ),
                )
            return self._known[key]


@dataclass(frozen=True)
class S3Place:
    """A prefix of a bucket. Every listing names a whole folder: other prefixes are slow or refused where paths are encrypted."""

    client: S3Client
    address: S3Address

    def contents(self) -> Contents:
        """See Place.contents."""
        try:
            return self._listed()
        except NoCredentialsError as error:
            raise PlaceRefused("no credentials were given") from error
        except ClientError as error:
            return self._answered(error)
        except BotoCoreError as error:
            raise PlaceUnreachable(f"{self.address.endpoint}: {error}") from error

    def _listed(self) -> Contents:
        base = f"{self.address.prefix}/" if self.address.prefix else ""
        top = self._entries(base, deep=False)
        if not top:
            return Contents(detail=self._nothing())
        sizes = {name: size for name, size, _ in top}
        known = {"config", "data/", *(f"{name}/" for name in FOLDERS)}
        counts = {name: self._entries(f"{base}{name}/", deep=True) if f"{name}/" in sizes else [] for name in FOLDERS}
        return Contents(
            config_size=sizes.get("config"),
            keys=len(counts["keys"]),
            snapshots=len(counts["snapshots"]),
            indexes=len(counts["index"]),
            packs="data/" in sizes,
            locks=tuple(written for _, _, written in counts["locks"]),
            others=tuple(sorted(name for name in sizes if name not in known)),
        )

    def _entries(self, prefix: str, *, deep: bool) -> list[tuple[str, int, float]]:
        """(name, size, time written) under the prefix; with `deep` False one level, folders ending in a slash."""
        found: list[tuple[str, int, float]] = []
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.address.bucket, Prefix=prefix, Delimiter="" if deep else "/"
        )
        for page in pages:
            for item in page.get("Contents", []):
                found.append((item["Key"].removeprefix(prefix), item["Size"], item["LastModified"].timestamp()))
            found += [(folder["Prefix"].removeprefix(prefix), 0, 0.0) for folder in page.get("CommonPrefixes", [])]
        return [entry for entry in found if entry[0]]

    def _nothing(self) -> str:
        """Why nothing at all was found: an empty bucket is what keys of another encryption phrase see, without any error."""
        if self.address.prefix and self._entries("", deep=False):
            return f"bucket {self.address.bucket} was listed, nothing is at {self.address.prefix}/"
        return (
            f"the whole bucket {self.address.bucket} lists empty; "
            "so it does, without an error, for keys that were made with another encryption phrase"
        )

    def _answered(self, error: ClientError) -> Contents:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        told = f"{self.address.endpoint} answered {status} {code}"
        if code == "NoSuchBucket":
            return Contents(detail=f"there is no bucket {self.address.bucket}")
        if code in _ACCOUNT:
            raise PlaceUnreachable(f"{told}: a limit of the account, not of the key") from error
        if code == "RequestTimeTooSkewed":
            raise PlaceUnreachable(f"{told}: the clock of this machine or of the store is wrong, compare `date -u`") from error
        if code in _REFUSED or status in ("401", "403"):
            raise PlaceRefused(told) from error
        raise PlaceUnreachable(told) from error
