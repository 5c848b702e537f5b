"""A database's archive at the S3 door: named faults of it are told by the real adapter as by the modelled door."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from adapters.archives.adapter import S3Archives
from adapters.archives.results import ArchiveVerdict
from engine.errors import PermanentError
from engine.secrets import Secret
from house.model import SecretRef
from house.values.databases import DatabaseArchive
from lab.buckets import BucketArchive
from lab.modelled.stored import stored_database
from lab.running.house import LabHouse
from lab.troubles import named as troubles
from lab.troubles.database import DATABASE_TROUBLES
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from tests.adapters.archives.test_archives import Secrets

PLAYED = ("archive-gone", "archive-base-hollow", "archive-gap", "archive-written-twice", "archive-key-refused")
"""One of each way in which files change; all are played in the modelled house: tests/scenario/faults/test_database_faults.py."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    ca, store = LabCA(tmp_path / "ca"), ObjectStore(tmp_path / "s3")
    key = AccessKey("LABKEYID", Secret("the-secret-key-of-the-store"))
    door = S3Door(store, (key,), ca.server("s3", "127.0.0.1").context(), Faults()).start()
    environment = (("AWS_ACCESS_KEY_ID", SecretRef(("env:ID",))), ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:KEY",))))
    declared = DatabaseArchive("database/pg", f"s3:{door.url}/databases/pg-2026", environment, str(ca.ca_file))
    yield SimpleNamespace(
        archive=BucketArchive(store), archived=stored_database(time.time()).files, s3=door, key=key, declared=declared,
        port=S3Archives(Secrets()),  # type: ignore[arg-type]
        world=SimpleNamespace(happened=lambda *words: None),
    )  # fmt: skip
    door.close()


def test_a_fault_is_the_same_behind_both_doors_and_ends(house: SimpleNamespace) -> None:
    lab = cast("LabHouse", house)
    for name in PLAYED:
        trouble = DATABASE_TROUBLES[name]
        troubles.begin(lab, name, "")
        found = house.port.look(house.declared)
        if trouble.refused:
            assert found.verdict is ArchiveVerdict.REFUSED, name
            continue
        modelled = replace(stored_database(time.time()), damages=(trouble.change,)).look()
        assert found.verdict is modelled.verdict, name
        assert (found.bases, found.segment, found.system_id) == (modelled.bases, modelled.segment, modelled.system_id), name
    troubles.end(lab, "archive-key-refused", "")
    assert house.port.look(house.declared).verdict is ArchiveVerdict.OK
    assert house.port.point(house.declared, 0.0).segment == "000000010000000000000007"


def test_a_house_without_a_database_has_no_fault_of_one() -> None:
    with pytest.raises(PermanentError, match="this house has no database"):
        troubles.begin(cast("LabHouse", SimpleNamespace(archive=None)), "archive-gap", "")
