"""The recovery that is written for review: Git's own Cluster, read from its archive, and writing beside it under a new name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.archives.results import RecoveryPoint
from adapters.cnpg.manifest import new_server, reached_by, recovery_manifest, written_server
from engine.errors import PermanentError
from tests.databases import a_manifest

POINT = RecoveryPoint("20260102T030000", "7", 1, 1 << 24, "0" * 24, 1767323045.0)


def made(declared: str, point: RecoveryPoint = POINT) -> dict[str, Any]:
    return recovery_manifest(declared, "apps", "pg-old", new_server("pg-old", point), point)


def inline(**store: object) -> str:
    given = json.loads(a_manifest(server="pg-old"))
    kept = {"destinationPath": "s3://db", "endpointURL": "https://s3.invalid", **store}
    given["spec"] |= {"plugins": [], "backup": {"retentionPolicy": "30d", "barmanObjectStore": kept}}
    return json.dumps(given)


def test_it_is_read_from_the_old_server_and_archives_under_a_new_one() -> None:
    spec = made(a_manifest(server="pg-old"))["spec"]
    (archiver,), (outer,) = spec["plugins"], spec["externalClusters"]
    assert archiver["parameters"] == {"barmanObjectName": "store", "serverName": "pg-old-20260102t0304"}
    assert outer["plugin"] == {
        "name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": "store", "serverName": "pg-old"},
    }  # fmt: skip
    assert spec["bootstrap"]["recovery"]["source"] == outer["name"]
    assert spec["bootstrap"]["recovery"]["recoveryTarget"] == {"backupID": "20260102T030000"}
    assert spec["instances"] == 3


def test_the_application_keeps_the_database_owner_and_secret_that_git_gives_it() -> None:
    recovery = made(a_manifest(server="pg-old"))["spec"]["bootstrap"]["recovery"]
    assert (recovery["database"], recovery["owner"], recovery["secret"]) == ("notes", "notes", {"name": "notes-login"})


def test_the_older_form_with_the_store_in_the_cluster_itself() -> None:
    spec = made(inline(serverName="pg-old"))["spec"]
    assert spec["backup"]["retentionPolicy"] == "30d"
    assert spec["backup"]["barmanObjectStore"]["serverName"] == "pg-old-20260102t0304"
    (outer,) = spec["externalClusters"]
    assert (outer["barmanObjectStore"]["serverName"], outer["barmanObjectStore"]["destinationPath"]) == ("pg-old", "s3://db")


def test_a_time_is_said_with_its_zone_and_what_a_server_wrote_into_the_object_is_left_out() -> None:
    whole = made(a_manifest(server="pg-old"), replace(POINT, target=1767323045.0))
    assert whole["spec"]["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"] == "2026-01-02T03:04:05Z"
    kept = {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
    assert whole["metadata"] == {"labels": {"app": "pg"}, "name": "pg", "namespace": "apps", "annotations": kept}
    assert new_server("pg", POINT) == "pg-20260102t0304"


def test_other_external_clusters_stay_and_one_that_archives_in_another_form_is_left_to_git() -> None:
    given = json.loads(a_manifest(server="pg-old"))
    given["spec"]["externalClusters"] = [{"name": "elsewhere", "connectionParameters": {"host": "db"}}]
    assert [one["name"] for one in made(json.dumps(given))["spec"]["externalClusters"]] == ["elsewhere", "blackstart-archive"]
    given["spec"]["plugins"][0]["name"] = "another.plugin"
    with pytest.raises(PermanentError, match="no form that a recovery could be written for"):
        made(json.dumps(given))


@pytest.mark.parametrize("declared", [a_manifest(server="pg-old"), inline(serverName="pg-old")])
def test_what_a_recovery_archives_under_is_read_back_from_its_text(declared: str) -> None:
    assert written_server(json.dumps(made(declared)).encode()) == "pg-old-20260102t0304"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"spec": 1}', b'{"spec": {"plugins": [1]}}', b'{"spec": {"plugins": [{"isWALArchiver": true}]}}'],
)
def test_what_is_no_recovery_archives_under_nothing_and_needs_nothing(text: bytes) -> None:
    assert (written_server(text), reached_by(text)) == ("", ())


def test_what_it_reaches_its_archives_by_is_named_once() -> None:
    assert reached_by(json.dumps(made(a_manifest(server="pg-old"))).encode()) == (("ObjectStore", "store"),)
    keys = {name: {"name": "s3", "key": name} for name in ("accessKeyId", "secretAccessKey")}
    whole = made(inline(serverName="pg-old", s3Credentials=keys, endpointCA={"name": "ca", "key": "ca.crt"}))
    assert reached_by(json.dumps(whole).encode()) == (("Secret", "s3"), ("Secret", "ca"))


def test_without_a_point_it_is_the_newest_base_backup_and_its_whole_log() -> None:
    spec = recovery_manifest(a_manifest(server="pg-old"), "apps", "pg-old", "x")["spec"]
    assert "recoveryTarget" not in spec["bootstrap"]["recovery"]
