"""A former state is copied aside: what lies there already is neither copied twice nor written over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from adapters.backups.opening import Opened, Openings
from adapters.backups.results import Repository
from adapters.backups.stores.places import s3_address
from adapters.backups.stores.s3 import S3Place
from adapters.kubernetes.client import Clients
from adapters.versions.adapter import S3Versions
from adapters.versions.results import Version
from engine.errors import PermanentError
from house.model import SecretRef

REPOSITORY = Repository("notes", "s3:https://store.lan/backups/notes", SecretRef(("env:PASSWORD",)), (), "")
INTO = "s3:https://store.lan/backups/notes-as-of-then"
STATE = (Version("config", "v1", 1.0, 155), Version("data/ab/ab", "v2", 2.0, 9), Version("keys/cd", "v3", 1.0, 4))


class Bucket:
    """What lies at INTO, by name and size; it is an opened repository of itself."""

    def __init__(self, **there: int) -> None:
        self.there = {f"notes-as-of-then/{name}": size for name, size in there.items()}
        self.copied = list[str]()

    def open(self, repository: Repository) -> Opened:
        address = s3_address(repository.address)
        assert address is not None
        return Opened(repository, S3Place(cast("Any", self), address), (), {})

    def get_paginator(self, of: str) -> Bucket:
        assert of == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, list[dict[str, object]]]]:
        yield {"Contents": [{"Key": key, "Size": size} for key, size in self.there.items() if key.startswith(asked["Prefix"])]}

    def copy_object(self, **asked: Any) -> None:
        self.copied.append(asked["Key"])


def bring(bucket: Bucket) -> None:
    S3Versions(cast("Openings", bucket), cast("Clients", None)).bring(REPOSITORY, INTO, STATE)


def test_what_is_there_is_not_copied_again_and_the_config_comes_last() -> None:
    bucket = Bucket(**{"keys/cd": 4})
    bring(bucket)
    assert bucket.copied == ["notes-as-of-then/data/ab/ab", "notes-as-of-then/config"]


@pytest.mark.parametrize("name", ["config", "data/ab/ab"])
def test_a_file_of_that_name_and_another_size_is_not_written_over(name: str) -> None:
    bucket = Bucket(**{name: 77})
    with pytest.raises(PermanentError, match="something else lies at") as caught:
        bring(bucket)
    assert caught.value.evidence == (name,) and bucket.copied == []
