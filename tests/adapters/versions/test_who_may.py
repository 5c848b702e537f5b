"""Who may take versions away: by what a store answers to a DELETE of nothing, and never by an answer to something else."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from adapters.backups.opening import Opened, Openings
from adapters.backups.results import Repository
from adapters.backups.stores.places import S3Address
from adapters.backups.stores.s3 import S3Place
from adapters.kubernetes.client import Clients
from adapters.versions.adapter import S3Versions
from adapters.versions.results import May, Undoing
from house.model import SecretRef

REPOSITORY = Repository("notes", "s3:https://store.lan/backups/notes", SecretRef(("env:PASSWORD",)), (), "")


class Store:
    """Answers a DELETE so, and is an opened repository of itself."""

    def __init__(self, answer: Exception | None) -> None:
        self._answer, self.asked = answer, list[dict[str, str]]()

    def open(self, repository: Repository) -> Opened:
        place = S3Place(cast("Any", self), S3Address("https://store.lan", "backups", "notes"))
        return Opened(repository, place, (), {})

    def delete_object(self, **asked: str) -> None:
        self.asked.append(asked)
        if self._answer is not None:
            raise self._answer


def answered(status: int, code: str, message: str = "") -> ClientError:
    said: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "DeleteObject")


def may(answer: Exception | None) -> tuple[Undoing, Store]:
    store = Store(answer)
    (ours,) = S3Versions(cast("Openings", store), cast("Clients", None)).undoing(REPOSITORY, "apps", "")
    return ours, store


@pytest.mark.parametrize(("answer", "wanted"), [
    (None, May.YES), (answered(404, "NoSuchVersion"), May.YES), (answered(403, "AccessDenied"), May.NO),
])  # fmt: skip
def test_what_passes_may_and_what_is_denied_may_not(answer: Exception | None, wanted: May) -> None:
    assert may(answer)[0] == Undoing("the settings' own", wanted)


@pytest.mark.parametrize("answer", [
    answered(403, "AccessDenied", "Transaction cap exceeded"), answered(403, "RequestTimeTooSkewed"),
    answered(403, "InvalidAccessKeyId"), answered(403, "SignatureDoesNotMatch"), answered(403, "ExpiredToken"),
    answered(403, "403"),
    answered(404, "NoSuchBucket"), answered(503, "SlowDown"), answered(501, "NotImplemented"),
    ConnectTimeoutError(endpoint_url="https://store.lan"),
])  # fmt: skip
def test_what_says_nothing_of_the_keys_rights_is_unknown_with_the_stores_words(answer: Exception) -> None:
    ours, _ = may(answer)
    assert (ours.may, bool(ours.why)) == (May.UNKNOWN, True)


def test_it_is_asked_with_one_version_of_a_name_that_nobody_wrote() -> None:
    names = []
    for _ in range(2):
        (asked,) = may(None)[1].asked
        assert (asked["Bucket"], asked["VersionId"]) == ("backups", "null")
        assert asked["Key"].startswith("notes/never-written-") and len(asked["Key"]) > 40
        names.append(asked["Key"])
    assert len(set(names)) == 2
