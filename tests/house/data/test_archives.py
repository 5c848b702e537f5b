"""Where databases archive to, in either form that CloudNativePG has; how the settings open that; what first settings say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.data.archives import archives
from house.data.joining import base_schedules
from tests.house.data.test_data import rendered
from tests.house.reading import load, write_settings
from tests.house.small_house import SETTINGS, write_repository

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
    assert "    odd/pg:  # s3:https://s3.invalid/bucket/prod/pg\n      environment:\n        AWS_ACCESS_KEY_ID: FILL_IN  # " in text


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


HOUR = 3600.0
SCHEDULED = """apiVersion: postgresql.cnpg.io/v1
kind: ScheduledBackup
metadata: {name: NAME}
spec: {schedule: "SCHEDULE", cluster: {name: pg}MORE}"""


def scheduled(schedule: str, more: str = "", name: str = "nightly") -> str:
    return SCHEDULED.replace("NAME", name).replace("SCHEDULE", schedule).replace("MORE", more)


@pytest.mark.parametrize(
    ("texts", "ages"),
    [
        ((scheduled("0 0 3 * * *"),), {"tools/pg": 49 * HOUR}),
        ((scheduled("0 0 3 * * 0"),), {"tools/pg": (2 * 7 * 24 + 1) * HOUR}),
        ((scheduled("0 0 3 * *"),), {"tools/pg": 49 * HOUR}),
        ((scheduled("@weekly"), scheduled("0 0 */6 * * *", name="often")), {"tools/pg": 13 * HOUR}),
        ((scheduled("0 0 3 * * *", ", method: plugin, pluginConfiguration: {name: barman-cloud.cloudnative-pg.io}"),),
         {"tools/pg": 49 * HOUR}),
        ((scheduled("0 0 3 * * *", ", method: volumeSnapshot"),), {}),
        ((scheduled("0 0 3 * * *", ", method: plugin, pluginConfiguration: {name: other.cloudnative-pg.io}"),), {}),
        ((scheduled("whenever"),), {}),
        ((), {}),
    ],
)  # fmt: skip
def test_how_old_a_base_backup_may_be_follows_what_schedules_it_into_the_archive(
    texts: tuple[str, ...], ages: dict[str, float]
) -> None:
    assert base_schedules(rendered(*texts)) == ages


@pytest.mark.parametrize(
    ("said", "ages"),
    [
        ("", (49 * HOUR, 6 * HOUR)),
        ("max_age: 8d, ", (8 * 24 * HOUR, 6 * HOUR)),
        ("max_log_age: 2d, ", (49 * HOUR, 48 * HOUR)),
        ("max_age: any, max_log_age: any, ", (0.0, 0.0)),
    ],
)
def test_the_settings_may_say_otherwise(tmp_path: Path, said: str, ages: tuple[float, float]) -> None:
    keys = "{AWS_ACCESS_KEY_ID: env:ID, AWS_SECRET_ACCESS_KEY: env:KEY}"
    settings = small(tmp_path, f"  databases: {{odd/pg: {{{said}environment: {keys}}}}}\n")
    (tmp_path / "kubernetes/apps/apps/odd/app/backup.yaml").write_text(scheduled("0 0 3 * * *"))
    (found,) = [one for one in load(settings).archives if one.key == "odd/pg"]
    assert (found.max_age, found.max_log_age) == ages


def test_where_nothing_schedules_it_a_day_and_a_half_is_the_limit_and_first_settings_say_so(tmp_path: Path) -> None:
    keys = "{AWS_ACCESS_KEY_ID: env:ID, AWS_SECRET_ACCESS_KEY: env:KEY}"
    settings = small(tmp_path, f"  databases: {{odd/pg: {{environment: {keys}}}}}\n")
    assert {one.max_age for one in load(settings).archives} == {36 * HOUR}
    settings.unlink()
    text = write_settings(tmp_path).file.read_text()
    assert "      # max_age: 36h  # of its newest base backup, and nothing schedules one\n" in text


def test_first_settings_say_how_old_each_may_be(tmp_path: Path) -> None:
    small(tmp_path, "").unlink()
    (tmp_path / "kubernetes/apps/apps/odd/app/backup.yaml").write_text(scheduled("0 0 3 * * *"))
    text = write_settings(tmp_path).file.read_text()
    assert "\n      # max_age: 49h  # of its newest base backup, by its ScheduledBackup" in text.partition("AWS_SECRET")[2]
