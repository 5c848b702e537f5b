"""The port of versions on boto3: S3's versioning, object lock and life cycle, on the places that restic's repositories lie at.

Whoever may delete a version is found out by deleting one that cannot be: of a name that nobody ever wrote, the version `null`,
which a bucket that keeps versions gives to none. A store that lets it pass would let others pass, and has taken nothing away.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from adapters.backups.opening import Openings
from adapters.backups.results import Repository
from adapters.backups.stores.places import PlaceLacks, PlaceRefused, PlaceUnreachable, S3Address, s3_address
from adapters.backups.stores.s3 import DEFAULT_REGION, S3Clients, S3Credentials, S3Place
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import SECRET
from adapters.kubernetes.objects import table
from adapters.versions.results import Keeping, May, StoreGuard, Undoing, Version
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.secrets import Secret
from engine.text.words import some
from engine.workers import Threads, each

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_T = TypeVar("_T")
_KEEPING = {"Enabled": Keeping.KEPT, "Suspended": Keeping.SUSPENDED, "": Keeping.NONE}
_NONE_OF_IT = {"ObjectLockConfigurationNotFoundError", "NoSuchLifecycleConfiguration", "NoSuchObjectLockConfiguration"}
_NOT_SERVED = {"NotImplemented", "MethodNotAllowed", "501", "405"}
_DAY_S = 86400.0
_COPIES_AT_ONCE = 8
_LAST = "config"


class S3Versions:
    """Implements adapters.versions.port.Versions."""

    def __init__(self, openings: Openings, clients: Clients) -> None:
        self._openings, self._clients = openings, clients
        self._others = S3Clients()
        self._workers = Threads()

    def guard(self, repository: Repository) -> StoreGuard:
        """See VersionsView.guard."""
        place, why = self._place(repository), list[str]()
        bucket, client = place.address.bucket, place.client
        with _told(repository, place, "its bucket could not be asked for versions"):
            try:
                state = str(client.get_bucket_versioning(Bucket=bucket).get("Status", ""))
                keeping = _KEEPING.get(state, Keeping.UNKNOWN)
            except ClientError as error:
                if _code(error) not in _NOT_SERVED and not _forbidden(error):
                    raise
                keeping = Keeping.NONE if _code(error) in _NOT_SERVED else Keeping.UNKNOWN
                why += [f"versioning: {_words(error)}"] if keeping is Keeping.UNKNOWN else []
            lock = _asked(why, "object lock", lambda: _lock(client, bucket), ("", 0.0))
            kept = _asked(why, "life cycle", lambda: _kept(client, bucket), 0.0)
        mode, lock_s = lock if lock is not None else (None, 0.0)
        return StoreGuard(f"{place.address.endpoint}/{bucket}", keeping, mode, lock_s, kept, tuple(why))

    def undoing(self, repository: Repository, namespace: str, secret: str) -> tuple[Undoing, ...]:
        """See VersionsView.undoing."""
        place = self._place(repository)
        ours = _may(place, "the settings' own")
        if not secret:
            return (ours,)
        theirs = f"Secret {namespace}/{secret}"
        try:
            data = table(self._clients.main().get(SECRET, secret, namespace) or {}, "data")
        except BlackstartError as error:
            return (ours, Undoing(theirs, May.UNKNOWN, error.what))
        given = {name: _decoded(data[name]) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if name in data}
        if len(given) < 2 or not all(given.values()):
            return (ours, Undoing(theirs, May.UNKNOWN, "it holds no key of the store"))
        credentials = S3Credentials(
            given["AWS_ACCESS_KEY_ID"], Secret(given["AWS_SECRET_ACCESS_KEY"]), region=repository.region or DEFAULT_REGION,
            ca_file=repository.ca_file, addressing="virtual" if repository.addressing == "virtual" else "path",
        )  # fmt: skip
        return (ours, _may(replace(place, client=self._others.get(place.address.endpoint, credentials)), theirs))

    def history(self, repository: Repository) -> tuple[Version, ...]:
        """See VersionsView.history."""
        place = self._place(repository)
        base = _base(place.address)
        found: list[Version] = []
        with _told(repository, place, "its versions could not be listed"):
            for page in place.client.get_paginator("list_object_versions").paginate(Bucket=place.address.bucket, Prefix=base):
                for one in page.get("Versions", []):
                    name, at = one["Key"].removeprefix(base), one["LastModified"].timestamp()
                    found.append(Version(name, one["VersionId"], at, one["Size"], one.get("ETag", "")))
                for mark in page.get("DeleteMarkers", []):
                    name, at = mark["Key"].removeprefix(base), mark["LastModified"].timestamp()
                    found.append(Version(name, mark["VersionId"], at, gone=True))
        return tuple(found)

    def bring(self, repository: Repository, into: str, versions: Sequence[Version]) -> None:
        """See Versions.bring. Each file is copied by the store itself: nothing is downloaded."""
        place = self._place(repository)
        target = self._place(replace(repository, address=into))
        base, aim = _base(place.address), _base(target.address)

        def copy(one: Version) -> None:
            place.client.copy_object(
                Bucket=target.address.bucket, Key=f"{aim}{one.name}",
                CopySource={"Bucket": place.address.bucket, "Key": f"{base}{one.name}", "VersionId": one.version_id},
            )  # fmt: skip

        with _told(repository, place, f"what it was could not be copied to {into}"):
            there, files = _sizes(target, aim), [one for one in versions if not one.gone]
            if strange := sorted(one.name for one in files if there.get(one.name, one.size) != one.size):
                raise PermanentError(f"something else lies at {into}: nothing is written over", evidence=(some(strange),))
            wanted = [one for one in files if one.name not in there]
            each(self._workers, copy, [one for one in wanted if one.name != _LAST], at_once=_COPIES_AT_ONCE)
            for one in wanted:
                if one.name == _LAST:  # without it nobody takes what is not whole yet for a repository
                    copy(one)

    def _place(self, repository: Repository) -> S3Place:
        if s3_address(repository.address) is None:
            raise PermanentError(
                f"{repository.name} lies in no bucket: only a store of S3 keeps versions that are known here",
                evidence=(repository.address,), hint="a NAS has snapshots of its own: its web page restores one",
            )  # fmt: skip
        place = self._openings.open(repository).place
        assert isinstance(place, S3Place)  # of an address of S3
        return place


def _base(address: S3Address) -> str:
    return f"{address.prefix}/" if address.prefix else ""


def _sizes(place: S3Place, base: str) -> dict[str, int]:
    pages = place.client.get_paginator("list_objects_v2").paginate(Bucket=place.address.bucket, Prefix=base)
    return {one["Key"].removeprefix(base): one["Size"] for page in pages for one in page.get("Contents", [])}


def _asked(why: list[str], what: str, ask: Callable[[], _T], none: _T) -> _T | None:
    """The answer; `none` where the store has no such thing; None, and why, where it does not say."""
    try:
        return ask()
    except ClientError as error:
        if _code(error) in _NONE_OF_IT | _NOT_SERVED:
            return none
        if not _forbidden(error):
            raise
        why.append(f"{what}: {_words(error)}")
        return None


def _lock(client: S3Client, bucket: str) -> tuple[str, float]:
    told = client.get_object_lock_configuration(Bucket=bucket).get("ObjectLockConfiguration", {})
    kept = told.get("Rule", {}).get("DefaultRetention", {})
    return str(kept.get("Mode", "")).lower(), (kept.get("Days", 0) + 365 * kept.get("Years", 0)) * _DAY_S


def _kept(client: S3Client, bucket: str) -> float:
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
    on = [rule.get("NoncurrentVersionExpiration", {}) for rule in rules if rule.get("Status") == "Enabled"]
    days = [one.get("NoncurrentDays", 0) for one in on]
    return min((one for one in days if one), default=0) * _DAY_S


def _may(place: S3Place, key: str) -> Undoing:
    """By what the store says of that DELETE. A bill, a clock and a key that it does not know are no word on what the key may."""
    name = f"{_base(place.address)}never-written-{secrets.token_hex(16)}"
    try:
        with place.told():
            place.client.delete_object(Bucket=place.address.bucket, Key=name, VersionId="null")
    except (PlaceRefused, PlaceUnreachable, PlaceLacks) as error:
        code = _code(error.__cause__) if isinstance(error.__cause__, ClientError) else ""
        if code == "NoSuchVersion":
            return Undoing(key, May.YES)
        denied = isinstance(error, PlaceRefused) and code == "AccessDenied"
        return Undoing(key, May.NO) if denied else Undoing(key, May.UNKNOWN, str(error))
    return Undoing(key, May.YES)


@contextmanager
def _told(repository: Repository, place: S3Place, what: str) -> Iterator[None]:
    """The store's answers as errors of ours."""
    told = f"{repository.name}: {what}"
    try:
        with place.told():
            yield
    except PlaceUnreachable as error:
        raise TransientError(told, evidence=(str(error),), hint="the store did not answer, or not to this question") from error
    except PlaceRefused as error:
        raise PermanentError(told, evidence=(str(error),), hint="these credentials may not: the owner's may") from error
    except PlaceLacks as error:
        raise PermanentError(told, evidence=(str(error),), hint="is it the right bucket?") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _forbidden(error: ClientError) -> bool:
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    return _code(error) in ("AccessDenied", "AllAccessDisabled") or status in ("401", "403")


def _words(error: ClientError) -> str:
    said = str(error.response.get("Error", {}).get("Message", ""))
    return f"{_code(error)}: {said}" if said else _code(error)


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
