"""What is paused makes no backups, whatever makes them; what is null is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.data.joining import base_schedules, declared_data, schedules
from house.data.nouns import Space
from house.values.databases import Database
from tests.house.data.test_data import rendered
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

HOUR = 3600.0
DATABASE = Database("tools", "pg", "flux/app", archives=True, recovers=True, declared_in="a.yaml:1")


def source(name: str, spec: str) -> str:
    return f"apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {{name: {name}}}\nspec: {{{spec}}}"


def kopiur(kind: str, name: str, spec: str, labels: str = "") -> str:
    metadata = f"{{name: {name}, labels: {{{labels}}}}}"
    return f"apiVersion: kopiur.home-operations.com/v1alpha1\nkind: {kind}\nmetadata: {metadata}\nspec: {{{spec}}}"


def scheduled(name: str, spec: str) -> str:
    spec = f"{{cluster: {{name: pg}}, schedule: '0 0 3 * * *'{spec}}}"
    return f"apiVersion: postgresql.cnpg.io/v1\nkind: ScheduledBackup\nmetadata: {{name: {name}}}\nspec: {spec}"


RESTIC = "sourcePVC: films, restic: {repository: s}"
POLICY = kopiur("SnapshotPolicy", "p", "sources: [{pvc: {name: films}}]", "app: films")
CRON = "cron: H 2 * * *"
OFF = f"schedule: {{{CRON}, suspend: true}}"


@pytest.mark.parametrize(
    ("texts", "key", "by"),
    [
        ((source("a", f"{RESTIC}, paused: true"),), "tools/films", "ReplicationSource tools/a"),
        ((source("a", "sourcePVC: films, kopia: {repository: s}, paused: true"),), "tools/films", "ReplicationSource tools/a"),
        ((source("a", f"{RESTIC}, paused: true"), source("b", "sourcePVC: films, rclone: {x: y}, paused: true")),
         "tools/films", "ReplicationSource tools/a, ReplicationSource tools/b"),
        ((kopiur("SnapshotPolicy", "p", "suspend: true, sources: [{pvc: {name: films}}]"),),
         "tools/films", "SnapshotPolicy tools/p"),
        ((POLICY, kopiur("SnapshotSchedule", "s", f"policyRef: {{name: p}}, {OFF}")),
         "tools/films", "SnapshotSchedule tools/s"),
        ((POLICY, kopiur("SnapshotSchedule", "s", f"policySelector: {{matchLabels: {{app: films}}}}, {OFF}")),
         "tools/films", "SnapshotSchedule tools/s"),
        ((scheduled("nightly", ", suspend: true"),), "tools/pg", "ScheduledBackup tools/nightly"),
    ],
)  # fmt: skip
def test_what_alone_makes_backups_and_is_paused_is_named(texts: tuple[str, ...], key: str, by: str) -> None:
    (found,) = declared_data(rendered(*texts), (), (DATABASE,), {}).paused
    assert (found.key, found.by, found.reason) == (key, by, "")


@pytest.mark.parametrize(
    "texts",
    [
        (source("a", f"{RESTIC}, paused: false"),),
        (source("a", f"{RESTIC}, paused: null"),),
        (source("a", f"{RESTIC}, paused: true"), source("b", RESTIC)),
        (source("a", f"{RESTIC}, paused: true"), POLICY),
        (POLICY,),
        (POLICY, kopiur("SnapshotSchedule", "s", f"policyRef: {{name: p}}, {OFF}"),
         kopiur("SnapshotSchedule", "t", f"policyRef: {{name: p}}, schedule: {{{CRON}}}")),
        (POLICY, kopiur("SnapshotSchedule", "s", f"policyRef: {{name: q}}, {OFF}")),
        (scheduled("nightly", ", suspend: true"), scheduled("weekly", ", suspend: false")),
        (scheduled("snapshots", ", suspend: true, method: volumeSnapshot"),),
    ],
)  # fmt: skip
def test_what_something_else_backs_up_or_what_goes_on_is_not_paused(texts: tuple[str, ...]) -> None:
    assert declared_data(rendered(*texts), (), (DATABASE,), {}).paused == ()


def test_an_age_follows_what_goes_on() -> None:
    trigger = 'trigger: {schedule: "0 * * * *"}'
    often, daily = source("a", f"{RESTIC}, {trigger}, paused: true"), source("b", f"{RESTIC}, {trigger.replace('0 *', '0 3')}")
    assert schedules(rendered(often, daily)) == {"tools/films": 49 * HOUR}
    assert schedules(rendered(often)) == {"tools/films": 3 * HOUR}
    suspended = scheduled("nightly", ", suspend: true")
    weekly = scheduled("weekly", "").replace("0 0 3 * * *", "@weekly")
    assert base_schedules(rendered(suspended, weekly)) == {"tools/pg": (2 * 7 * 24 + 1) * HOUR}


def test_a_reason_of_the_settings_is_kept_with_it(tmp_path: Path) -> None:
    def house(more: str = "", paused: str = "paused: true, ") -> Path:
        settings = write_repository(tmp_path, SETTINGS.replace("  claims:\n", f"{more}  claims:\n"))
        (tmp_path / "kubernetes/apps/apps/odd/app/more.yaml").write_text(source("f", f"{paused}sourcePVC: films, kopia: {{x: y}}"))
        return settings

    assert [(one.key, one.reason) for one in load(house()).data.paused] == [("odd/films", "")]
    reason = "  unprotected: {odd/films: the films are moved away}\n"
    assert [(one.key, one.reason) for one in load(house(reason)).data.paused] == [("odd/films", "the films are moved away")]
    with pytest.raises(SettingsInvalid):
        load(house(reason, ""))


def test_everything_that_is_paused_is_a_note(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    restores = source("back", "paused: true, restic: {repository: s}").replace("ReplicationSource", "ReplicationDestination")
    texts = (
        scheduled("nightly", ", suspend: true"), kopiur("SnapshotPolicy", "p", "suspend: true, sources: [{pvc: {name: films}}]"),
        kopiur("SnapshotSchedule", "s", f"policyRef: {{name: p}}, {OFF}"), restores,
    )  # fmt: skip
    (tmp_path / "kubernetes/apps/apps/odd/app/more.yaml").write_text("\n---\n".join(texts))
    notes = [note for note in load(settings).notes if "paused" in note]
    assert [note.split(": ")[1].split(" is paused")[0] for note in notes] == ["nightly", "p", "s", "back"]


@pytest.mark.parametrize(
    ("spec", "protected"),
    [
        ("sourcePVC: films, restic: null", False),
        ("sourcePVC: films, restic: null, kopia: null, trigger: {schedule: '@daily'}", False),
        ("sourcePVC: films", False),
        ("sourcePVC: films, restic: null, kopia: {repository: s}", True),
        ("sourcePVC: films, somethingNew: {x: y}", True),
        ("sourcePVC: null, kopia: {repository: s}", False),
    ],
)
def test_a_source_whose_engine_is_null_makes_no_backups(tmp_path: Path, spec: str, protected: bool) -> None:
    settings = write_repository(tmp_path)
    claim = "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {name: films}\nspec: {}\n---\n"
    (tmp_path / "kubernetes/apps/apps/odd/app/more.yaml").write_text(claim + source("f", spec))
    house = load(settings)
    assert ((Space.CLAIM, "odd/films") in house.data.protected) is protected
    assert ("odd/films" in [one.holder.key for one in house.data.unprotected]) is not protected
    assert ("odd/films" in [f"{one.namespace}/{one.name}" for one in house.unsupported]) is protected
    assert "odd/films" not in [claim.key for claim in house.claims]


def test_a_destination_whose_engine_is_null_restores_nothing(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    file = tmp_path / "kubernetes/components/volsync/destination.yaml"
    file.write_text(file.read_text().split("  restic:\n")[0] + "  restic: null\n")
    (notes,) = [claim for claim in load(settings).claims if claim.key == "apps/notes-data"]
    assert notes.destination == ""


@pytest.mark.parametrize(
    ("bootstrap", "recovers"),
    [
        ("{recovery: {source: pg}}", True), ("{recovery: null}", False), ("{recovery: {}}", False), ("{}", False), ("null", False),
        ("{recovery: null, initdb: {}}", False), ("{initdb: {}}", False),
    ],
)  # fmt: skip
def test_a_database_recovers_only_where_its_recovery_says_something(tmp_path: Path, bootstrap: str, recovers: bool) -> None:
    settings = write_repository(tmp_path)
    store = "{destinationPath: 's3://bucket'}"
    (tmp_path / "kubernetes/apps/apps/odd/app/more.yaml").write_text(
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: pg}\n"
        f"spec: {{bootstrap: {bootstrap}, backup: {{barmanObjectStore: {store}}}}}\n"
    )
    (found,) = [one for one in load(settings).databases if one.name == "pg"]
    assert (found.recovers, found.held) == (recovers, not recovers)


@pytest.mark.parametrize(
    "spec", ["backup: null", "backup: {barmanObjectStore: null}", "backup: {barmanObjectStore: {}}", "plugins: null",
             "backup: {volumeSnapshot: null}", "plugins: [null]"],
)  # fmt: skip
def test_a_database_whose_archive_is_null_archives_nowhere(tmp_path: Path, spec: str) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / "kubernetes/apps/apps/odd/app/more.yaml").write_text(
        f"apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: pg}}\nspec: {{{spec}}}\n"
    )
    house = load(settings)
    (found,) = [one for one in house.databases if one.name == "pg"]
    assert not found.archives
    assert "odd/pg" in [one.holder.key for one in house.data.unprotected]
