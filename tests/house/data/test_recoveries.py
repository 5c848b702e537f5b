"""What each database would be made again from: by its own recovery, or by the archive that it writes to; what it is asked then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.data.recoveries import Recovery, recoveries
from house.values.databases import DatabaseQuestion
from tests.house.data.test_archives import INLINE, PLUGIN, STORE, small
from tests.house.data.test_data import rendered
from tests.house.reading import load

KEYS = "{AWS_ACCESS_KEY_ID: env:ID, AWS_SECRET_ACCESS_KEY: env:KEY}"
RECOVERS = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg}
spec:
  bootstrap: {recovery: {source: old, RECOVERY}}
  plugins: [{name: barman-cloud.cloudnative-pg.io, isWALArchiver: true, parameters: {barmanObjectName: store, serverName: pg-2}}]
  externalClusters: [OUTER]
"""
BY_PLUGIN = "{name: old, plugin: {name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: store, serverName: pg-1}}}"
BY_STORE = '{name: old, barmanObjectStore: {destinationPath: "s3://bucket/prod", endpointURL: "https://s3.invalid", SERVER}}'


def of(outer: str, recovery: str = "") -> Recovery:
    (found,) = recoveries(rendered(RECOVERS.replace("OUTER", outer).replace(", RECOVERY", recovery), STORE))
    return found


def recovers_at(root: Path, server: str) -> None:
    """The small house's database, which writes to `pg`, recovers from that server beside it."""
    outer = BY_STORE.replace("SERVER", f"serverName: {server}")
    made = f"spec: {{bootstrap: {{recovery: {{source: old}}}}, externalClusters: [{outer}], "
    text = INLINE.replace(", SERVER", "").replace("spec: {", made)
    (root / "kubernetes/apps/apps/odd/app/pg.yaml").write_text(text)


@pytest.mark.parametrize(
    ("outer", "place", "note"),
    [
        (BY_PLUGIN, "s3:https://s3.invalid/bucket/pg-1", ""),
        (BY_PLUGIN.replace(", serverName: pg-1", ""), "s3:https://s3.invalid/bucket/old", ""),
        (BY_STORE.replace("SERVER", "serverName: pg-1"), "s3:https://s3.invalid/bucket/prod/pg-1", ""),
        (BY_STORE.replace(", SERVER", ""), "s3:https://s3.invalid/bucket/prod/old", ""),
        (BY_PLUGIN.replace("name: old", "name: other"), "", "its recovery names old, which is not among its externalClusters"),
        ("{name: old, connectionParameters: {host: db}}", "", "its source old is no archive"),
        (BY_PLUGIN.replace("barmanObjectName: store", "barmanObjectName: gone"), "",
         "ObjectStore tools/gone is not in the repository"),
        (BY_PLUGIN.replace("pg-1", '"${PREVIOUS}"'), "",
         "it archives to s3:https://s3.invalid/bucket/${PREVIOUS}, with a variable that the repository does not show"),
    ],
)  # fmt: skip
def test_a_recovery_reads_from_the_server_that_it_names(outer: str, place: str, note: str) -> None:
    found = of(outer)
    assert (found.reads.place, found.reads.note, found.recovers) == (place, note, True)
    assert found.writes == "s3:https://s3.invalid/bucket/pg-2"


def test_one_that_recovers_from_where_it_writes_is_known_by_that() -> None:
    assert of(BY_PLUGIN.replace("pg-1", "pg-2")).over_itself
    assert not of(BY_PLUGIN).over_itself


@pytest.mark.parametrize("opened", ["", "open: s3:https://nas.lan/pg/own, "])
@pytest.mark.parametrize("server", ["pg", "pg-1"])
def test_it_is_noted_wherever_the_settings_open_its_archive(server: str, opened: str, tmp_path: Path) -> None:
    """Where it is opened is our road there: what its operator writes to and reads from is what Git says."""
    settings = small(tmp_path, f"  databases: {{odd/pg: {{{opened}environment: {KEYS}}}}}\n")
    recovers_at(tmp_path, server)
    house = load(settings)
    (one,) = [each for each in house.restorable if each.key == "odd/pg"]
    told = [note for note in house.notes if "database odd/pg recovers from the archive that it writes to" in note]
    assert (one.over_itself, bool(told)) == ((server == "pg",) * 2)
    assert all(f"{one.writes}; give what it writes to another serverName" in note for note in told)


def test_its_own_time_its_owner_and_its_secret_are_told() -> None:
    found = of(BY_PLUGIN, ", database: app, owner: me, secret: {name: mine}, recoveryTarget: {targetTime: 2026-01-02T03:04:05Z}")
    assert (found.target, found.user, found.database) == ("targetTime 2026-01-02T03:04:05Z", "me", "app")
    assert (found.secret, found.generated) == ("mine", False)
    assert (of(BY_PLUGIN).secret, of(BY_PLUGIN).generated) == ("pg-app", True)


@pytest.mark.parametrize("recovery", ["{volumeSnapshots: {storage: {name: x}}}", "{backup: {name: x}}"])
def test_what_recovers_from_no_archive_has_nothing_to_be_held_against(recovery: str) -> None:
    head = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: pg}\n"
    (found,) = recoveries(rendered(f"{head}spec: {{bootstrap: {{recovery: {recovery}}}}}"))
    assert found.reads.place == ""
    assert "of which no archive promises anything" in found.reads.note


@pytest.mark.parametrize("text", [INLINE.replace(", SERVER", ""), PLUGIN.replace(", SERVER", "")])
def test_one_that_declares_none_would_be_read_from_where_it_writes(text: str) -> None:
    (found,) = recoveries(rendered(text, STORE))
    assert (found.reads.place, found.recovers) == (found.writes, False)
    assert json.loads(found.manifest)["metadata"]["name"] == "pg"


def test_null_is_no_recovery_and_one_that_archives_nothing_is_none() -> None:
    (found,) = recoveries(rendered(INLINE.replace(", SERVER", "").replace("spec: {", "spec: {bootstrap: {recovery: }, ")))
    assert not found.recovers
    assert recoveries(rendered("apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: pg}\nspec: {}")) == ()


def test_the_settings_say_what_it_is_asked_and_where_it_is_opened(tmp_path: Path) -> None:
    asked = '[{sql: "SELECT count(*) FROM notes", expect: "> 10", database: notes}]'
    opened = "open: s3:https://nas.lan/pg/own, "
    house = load(small(tmp_path, f"  databases: {{odd/pg: {{{opened}environment: {KEYS}, probe: {asked}}}}}\n"))
    (one,) = [each for each in house.restorable if each.key == "odd/pg"]
    assert one.questions == (DatabaseQuestion("SELECT count(*) FROM notes", "> 10", "notes"),)
    assert one.source.place == "s3:https://nas.lan/pg/own"


def test_what_is_opened_elsewhere_is_read_beside_it(tmp_path: Path) -> None:
    settings = small(tmp_path, f"  databases: {{odd/pg: {{open: s3:https://nas.lan/pg/own, environment: {KEYS}}}}}\n")
    recovers_at(tmp_path, "pg-1")
    (one,) = [each for each in load(settings).restorable if each.key == "odd/pg"]
    assert one.source.place == "s3:https://nas.lan/pg/pg-1"


@pytest.mark.parametrize("sql", [r"\\! rm -rf /", r"SELECT 1;\n  \\copy notes to '/x'", " "])
def test_what_is_no_sql_is_refused(tmp_path: Path, sql: str) -> None:
    with pytest.raises(SettingsInvalid) as told:
        load(small(tmp_path, f'  databases: {{odd/pg: {{environment: {KEYS}, probe: [{{sql: "{sql}", expect: "1"}}]}}}}\n'))
    assert "probe" in told.value.evidence[0]
