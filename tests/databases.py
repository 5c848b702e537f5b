"""A house with one database whose archive holds three rows: what Git declares of it, and the archive. Values, and no port."""

from __future__ import annotations

import json

from house.model import House
from house.values.databases import Database, DatabaseArchive, DatabaseQuestion, RestorableDatabase
from lab.world.cluster.databases import Commit, StoredDatabase
from tests.builders import a_house, an_app

STORE = "s3:https://127.10.0.30:9000/db"
OLD, NEW = f"{STORE}/pg-old", f"{STORE}/pg-new"
KEY = ("apps", "pg")
ALL = "SELECT string_agg(row, ' ') FROM notes"
MIB = 1 << 20


def an_archive(now: float, timeline: int = 1) -> StoredDatabase:
    """Rows of three, two and one hours ago; the first is in the base backup."""
    commits = tuple(Commit(now - 3600 * (4 - n), n * 40 * MIB + 4096, f"row-{n}") for n in (1, 2, 3))
    return StoredDatabase("7123456789012345678", commits, timeline)


def a_manifest(*, server: str) -> str:
    """What Git declares: its Cluster, which archives with the plugin to that server."""
    parameters = {"barmanObjectName": "store", "serverName": server}
    plugin = {"name": "barman-cloud.cloudnative-pg.io", "isWALArchiver": True, "parameters": parameters}
    initdb = {"database": "notes", "owner": "notes", "secret": {"name": "notes-login"}}
    spec = {"instances": 3, "plugins": [plugin], "bootstrap": {"initdb": initdb}}
    metadata = {"name": "pg", "namespace": "apps", "labels": {"app": "pg"}, "uid": "not this one's"}
    return json.dumps({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": metadata, "spec": spec})


def a_database(
    *, recovers: bool, writes: str = "", source: str = OLD, target: str = "", expect: str = "row-1 row-2 row-3"
) -> RestorableDatabase:
    """The one database; what it archives to where nothing else is said: where it is read from, or with a recovery a new place."""
    database = Database("apps", "pg", "apps/pg", archives=True, recovers=recovers, declared_in="pg.yaml:1")
    writes = writes or (NEW if recovers else OLD)
    questions = (DatabaseQuestion(ALL, expect),) if expect else ()
    return RestorableDatabase(
        database, DatabaseArchive("apps/pg", source), writes, a_manifest(server=writes.rpartition("/")[2]), target, "pg-app",
        questions=questions,
    )  # fmt: skip


def a_house_with(one: RestorableDatabase) -> House:
    """The sample house, whose application depends on the database."""
    notes = an_app("notes", "volsync-system/volsync", "apps/pg")
    apps = (an_app("volsync", namespace="volsync-system", wait=True), an_app("pg"), notes)
    archive = DatabaseArchive("apps/pg", one.writes)
    return a_house(databases=(one.database,), restorable=(one,), archives=(archive,), flux_apps=apps)
