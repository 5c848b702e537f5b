"""Where databases archive to, in either form that CloudNativePG has; how the settings open that; what first settings say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.data.archives import archives
from tests.house.reading import load, write_settings
from tests.house.small_house import SETTINGS, write_repository
from tests.house.test_data import rendered

INLINE = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
spec: {backup: {barmanObjectStore: {destinationPath: "s3://bucket/prod/", endpointURL: "https://s3.invalid/", SERVER}}}"""
PLUGIN = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
spec: {plugins: [{name: barman-cloud.cloudnative-pg.io, isWALArchiver: true, parameters: {barmanObjectName: store, SERVER}}]}"""
STORE = """apiVersion: barmancloud.cnpg.io/v1
kind: ObjectStore
metadata: {name: store}
spec: {configuration: {destinationPath: "s3://bucket", endpointURL: "https://s3.invalid"}}"""


@pytest.mark.parametrize(
    ("texts", "place", "note"),
    [
        ((INLINE.replace(", SERVER", ""),), "s3:https://s3.invalid/bucket/prod/pg", ""),
        ((INLINE.replace("SERVER", "serverName: v17"),), "s3:https://s3.invalid/bucket/prod/v17", ""),
        ((PLUGIN.replace(", SERVER", ""), STORE), "s3:https://s3.invalid/bucket/pg", ""),
        ((STORE, PLUGIN.replace("SERVER", "serverName: v17")), "s3:https://s3.invalid/bucket/v17", ""),
        ((PLUGIN.replace(", SERVER", ""),), "", "ObjectStore tools/store is not in the repository"),
        ((PLUGIN.replace(", SERVER", ""), STORE.replace("s3://bucket", "https://x.blob.core.windows.net/y")), "",
         "it archives to https://x.blob.core.windows.net/y, and only S3 is looked at"),
        ((PLUGIN.replace(", SERVER", "").replace("barman-cloud.", "other."), STORE), "",
         "it archives by plugin other.cloudnative-pg.io, which is not known here"),
        ((INLINE.replace(", SERVER", "").replace("bucket", "${BUCKET}"),), "",
         "it archives to s3:https://s3.invalid/${BUCKET}/prod/pg, with a variable that the repository does not show"),
    ],
)  # fmt: skip
def test_either_form_says_its_place_or_why_not(texts: tuple[str, ...], place: str, note: str) -> None:
    (found,) = archives(rendered(*texts))
    assert (found.key, found.place, found.note) == ("tools/pg", place, note)


def test_a_database_that_archives_nowhere_has_no_archive() -> None:
    plain = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: pg}\nspec: {}"
    assert archives(rendered(plain, PLUGIN.replace("isWALArchiver: true", "isWALArchiver: false"))) == ()


def small(root: Path, databases: str) -> Path:
    settings = write_repository(root, SETTINGS.replace("  claims:\n", f"{databases}  claims:\n"))
    (root / "kubernetes/apps/apps/odd/app/pg.yaml").write_text(INLINE.replace(", SERVER", ""))
    return settings


def test_the_settings_open_it_and_first_settings_ask_for_what_is_lacking(tmp_path: Path) -> None:
    keys = "{AWS_ACCESS_KEY_ID: env:ID, AWS_SECRET_ACCESS_KEY: env:KEY}"
    house = load(small(tmp_path, f"  databases: {{odd/pg: {{environment: {keys}}}}}\n"))
    assert [(one.key, one.place, len(one.environment)) for one in house.archives if one.place] == [
        ("odd/pg", "s3:https://s3.invalid/bucket/prod/pg", 2)
    ]
    (tmp_path / "blackstart.yaml").unlink()
    text = write_settings(tmp_path, lambda: "5f1d7c2a9e").file.read_text()
    assert "    odd/pg:  # s3:https://s3.invalid/bucket/prod/pg\n      environment:\n        AWS_ACCESS_KEY_ID: FILL_IN\n" in text


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("odd/gp: {environment: {AWS_ACCESS_KEY_ID: env:A, AWS_SECRET_ACCESS_KEY: env:B}}", "is no database that archives"),
        ("odd/pg: {environment: {AWS_ACCESS_KEY_ID: env:A}}", "has no AWS_SECRET_ACCESS_KEY"),
        ("odd/pg: {open: /mnt/pg, environment: {AWS_ACCESS_KEY_ID: env:A, AWS_SECRET_ACCESS_KEY: env:B}}",
         "is nothing that an archive is opened at"),
    ],
)  # fmt: skip
def test_an_entry_that_opens_nothing_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as told:
        load(small(tmp_path, f"  databases: {{{entry}}}\n"))
    assert says in told.value.evidence[0]


OFF = PLUGIN.replace(", SERVER", "").replace("isWALArchiver: true", "enabled: false, isWALArchiver: true")


@pytest.mark.parametrize(
    ("text", "archiving"),
    [
        (INLINE.replace(", SERVER", ""), True),
        (PLUGIN.replace(", SERVER", ""), True),
        (PLUGIN.replace(", SERVER", "").replace("isWALArchiver", "enabled: true, isWALArchiver"), True),
        (OFF, False),
        ("apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: pg}\nspec: {backup: {barmanObjectStore: }}", False),
    ],
)
def test_a_database_counts_as_archiving_exactly_where_it_has_an_archive(tmp_path: Path, text: str, archiving: bool) -> None:
    assert bool(archives(rendered(text))) is archiving
    settings = write_repository(tmp_path, SETTINGS)
    (tmp_path / "kubernetes/apps/apps/odd/app/pg.yaml").write_text(text)
    (found,) = [one for one in load(settings).databases if one.name == "pg"]
    assert found.archives is archiving
