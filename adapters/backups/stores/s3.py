"""A repository in a bucket, listed with boto3 set up for stores that are not AWS (Storj above all). Knows no restic."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from adapters.backups.stores.authorities import share
from adapters.backups.stores.places import (
    FOLDERS,
    Contents,
    Found,
    Listed,
    Packs,
    PlaceLacks,
    PlaceRefused,
    PlaceUnreachable,
    S3Address,
    assembled,
    at_home,
    dates,
    ids,
)
from engine.secrets import Secret
from engine.workers import Threads, each

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

DEFAULT_REGION = "us-east-1"  # any fixed word: it spares a look-up, and Storj does not check it

Addressing = Literal["path", "virtual"]
_READ_AT_ONCE = 8
_AGREE_S = 5.0  # an answer's date has whole seconds, and it was some way to here
_READERS = Threads()  # for all buckets: idle ones serve the next

_REFUSED = {
    "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401",
}  # fmt: skip
_ACCOUNT = ("limitexceeded", "cap exceeded", "capexceeded", "quota", "accountproblem", "payment", "suspended")
"""What a store says when it is a bill or a limit, and not the key (B2's caps, Storj's limits, others' quotas)."""
_OTHERWISE = {
    "AuthorizationHeaderMalformed": "the region is wrong: backups.open_as[].region",
    "IllegalLocationConstraintException": "the region is wrong: backups.open_as[].region",
    "PermanentRedirect": "the region, the address or its style is another: backups.open_as[].region and addressing",
    "InvalidBucketName": "the style of address may be another: backups.open_as[].addressing: virtual or path",
}
_MISSING = {"NoSuchKey", "404"}


@dataclass(frozen=True)
class S3Credentials:
    """What the requests are signed with; `ca_file` "" for the machine's own certificates."""

    key_id: str
    key: Secret
    session_token: Secret | None = None
    region: str = DEFAULT_REGION
    ca_file: str = ""
    addressing: Addressing = "path"


@cache
def _session() -> boto3.session.Session:
    """One for all clients: it keeps what it has read of botocore's description of S3, which takes longer than all else. Not
    thread-safe, unlike what it makes."""
    share()
    return boto3.session.Session()


class S3Clients:
    """Clients by endpoint and credentials: they are thread-safe, and slow to make."""

    _lock = threading.Lock()  # of all: they share the session

    def __init__(self) -> None:
        self._known: dict[tuple[str, S3Credentials], S3Client] = {}

    def get(self, endpoint: str, credentials: S3Credentials) -> S3Client:
        """The client for this endpoint. Checksums only where required: see Storj's limits."""
        with self._lock:
            key = (endpoint, credentials)
            if key not in self._known:
                self._known[key] = _session().client(
                    "s3",
                    endpoint_url=endpoint,
                    aws_access_key_id=credentials.key_id,
                    aws_secret_access_key=credentials.key.reveal(),
                    aws_session_token=credentials.session_token.reveal() if credentials.session_token else None,
                    region_name=credentials.region,
                    verify=credentials.ca_file or None,
                    config=Config(
                        # The new checksum trailers of boto3 are refused by most stores but AWS.
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                        s3={"addressing_style": credentials.addressing},
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
            with self.told():
                return self._listed()
        except PlaceLacks:  # only a listing of a bucket that does not exist says so
            return Contents(detail=f"there is no bucket {self.address.bucket}")

    def names(self, folder: str) -> tuple[str, ...]:
        """See Place.names."""
        with self.told():
            return ids(self._entries(f"{self._base}{folder}/", deep=True))

    def dated(self, folder: str) -> dict[str, float]:
        """See Place.dated."""
        with self.told():
            return dates(self._entries(f"{self._base}{folder}/", deep=True))

    def ahead(self, now: float) -> float | None:
        """See Place.ahead. By the date of an answer of the store's, in whole seconds."""
        with self.told():
            answer = self.client.list_objects_v2(Bucket=self.address.bucket, Prefix=f"{self._base}locks/", MaxKeys=1)
        try:
            ahead = now - parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
        except (KeyError, ValueError):
            return None
        return ahead if abs(ahead) > _AGREE_S else 0.0

    def packs(self) -> Packs:
        """See Place.packs."""
        with self.told():
            listed = self._entries(f"{self._base}data/", deep=True)
        parts = ((*found.name.rpartition("/")[::2], found.size) for found in listed)
        return Packs({name: size for folder, name, size in parts if at_home(folder, name)})

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Place.read. Several at once: each costs a way there and back."""
        wanted = list(names)
        yield from zip(wanted, each(_READERS, self._whole, wanted, at_once=_READ_AT_ONCE), strict=True)

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """See Place.read_part."""
        return self._got(name, f"bytes={offset}-{offset + length - 1}")

    def remove(self, name: str) -> None:
        """See Place.remove. A store answers the same where there is none."""
        with self.told():
            self.client.delete_object(Bucket=self.address.bucket, Key=f"{self._base}{name}")

    @property
    def _base(self) -> str:
        return f"{self.address.prefix}/" if self.address.prefix else ""

    def _whole(self, name: str) -> bytes:
        return self._got(name, "")

    def _got(self, name: str, part: str) -> bytes:
        with self.told():
            key = f"{self._base}{name}"
            if part:
                return self.client.get_object(Bucket=self.address.bucket, Key=key, Range=part)["Body"].read()
            return self.client.get_object(Bucket=self.address.bucket, Key=key)["Body"].read()

    @contextmanager
    def told(self) -> Iterator[None]:
        try:
            yield
        except NoCredentialsError as error:
            raise PlaceRefused("no credentials were given") from error
        except ClientError as error:
            raise self._answered(error) from error
        except BotoCoreError as error:
            raise PlaceUnreachable(f"{self.address.endpoint}: {error}") from error

    def _listed(self) -> Contents:
        top = self._entries(self._base, deep=False)
        if not top:
            return Contents(detail=self._nothing())
        sizes = {found.name: found.size for found in top}
        known = {"config", "data/", *(f"{name}/" for name in FOLDERS)}
        there = [name for name in FOLDERS if f"{name}/" in sizes]
        listed = each(_READERS, lambda name: self._entries(f"{self._base}{name}/", deep=True), there, at_once=len(FOLDERS))
        folders = {name: Listed(tuple(files)) for name, files in zip(there, listed, strict=True)}
        return assembled(sizes.get("config"), folders, "data/" in sizes, sizes.keys() - known)

    def _entries(self, prefix: str, *, deep: bool) -> list[Found]:
        """What is under the prefix; with `deep` False one level, folders ending in a slash."""
        found: list[Found] = []
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.address.bucket, Prefix=prefix, Delimiter="" if deep else "/"
        )
        for page in pages:
            for item in page.get("Contents", []):
                found.append(Found(item["Key"].removeprefix(prefix), item["Size"], item["LastModified"].timestamp()))
            found += [Found(folder["Prefix"].removeprefix(prefix), 0, 0.0) for folder in page.get("CommonPrefixes", [])]
        return [entry for entry in found if entry.name]

    def _nothing(self) -> str:
        """Why nothing at all was found: an empty bucket is what keys of another encryption phrase see, without any error."""
        if self.address.prefix and self._entries("", deep=False):
            return f"bucket {self.address.bucket} was listed, nothing is at {self.address.prefix}/"
        return (
            f"the whole bucket {self.address.bucket} lists empty; "
            "so it does, without an error, for keys that were made with another encryption phrase"
        )

    def _answered(self, error: ClientError) -> Exception:
        """What the answer means, with the store's own words: only they tell a wrong key from a bill that was not paid."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        told = f"{self.address.endpoint} answered {status} {code}" + (f": {message}" if message else "")
        if code == "NoSuchBucket" or code in _MISSING:
            return PlaceLacks(told)
        if any(word in f"{code} {message}".lower() for word in _ACCOUNT):
            return PlaceUnreachable(f"{told}; a limit of the account, not of the key")
        if code == "RequestTimeTooSkewed":
            return PlaceUnreachable(f"{told}; the clock of this machine or of the store is wrong, compare `date -u`")
        if code in _OTHERWISE or status.startswith("3"):
            return PlaceUnreachable(f"{told}; {_OTHERWISE.get(code, _OTHERWISE['PermanentRedirect'])}")
        if code in _REFUSED or status in ("401", "403"):
            return PlaceRefused(told)
        return PlaceUnreachable(told)
