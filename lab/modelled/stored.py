"""A modelled house with its data in three places: a claim on the NAS, one in a bucket, a database in its archive. Values only."""

from __future__ import annotations

import json

from house.model import House
from house.settings.references import SecretRef
from house.values.databases import Database, DatabaseArchive, DatabaseQuestion, RestorableDatabase
from house.values.nas import Export, Nas, NasExport
from lab.modelled.sample import sample_app, sample_claim, sample_house
from lab.world.cluster.databases import Commit, StoredDatabase

NAS_VM, NAS_HOST = 105, "pve-2"
NAS = Nas(
    "nas", "nas.lan", 443, "AB:" * 31 + "CD", "", "blackstart", SecretRef(("env:NAS_API_KEY",)), vm=NAS_VM, vm_name="nas",
    datasets=("tank/backup",),
    exports=(NasExport(Export.NFS, "/mnt/tank/backup", "VolSync's movers (policy.yaml:1)", movers=True),),
)  # fmt: skip
ARCHIVE = "s3:https://127.10.0.30:9000/db/pg"
DATABASE = ("apps", "pg")
ROWS = ("first", "second", "third")
_PLUGIN = "barman-cloud.cloudnative-pg.io"
_MIB = 1 << 20


def stored_house() -> House:
    """Git declares no recovery of its database `pg`, which archives to ARCHIVE."""
    apps = (
        sample_app("volsync", namespace="volsync-system", wait=True), sample_app("notes", "volsync-system/volsync"),
        sample_app("wiki", "volsync-system/volsync"), sample_app("pg"),
    )  # fmt: skip
    here = sample_claim("notes", mover_repository="/repository/notes", open_as="/repository/notes")
    one = _database()
    return sample_house(
        nas=(NAS,), claims=(here, sample_claim("wiki")), flux_apps=apps, databases=(one.database,), restorable=(one,),
        archives=(DatabaseArchive(one.key, ARCHIVE),),
    )  # fmt: skip


def _database() -> RestorableDatabase:
    server = ARCHIVE.rpartition("/")[2]
    parameters = {"barmanObjectName": "store", "serverName": server}
    spec = {"instances": 1, "plugins": [{"name": _PLUGIN, "isWALArchiver": True, "parameters": parameters}]}
    metadata = {"name": "pg", "namespace": "apps"}
    cluster = json.dumps({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": metadata, "spec": spec})
    database = Database("apps", "pg", "apps/pg", archives=True, recovers=False, declared_in="kubernetes/apps/pg/cluster.yaml:1")
    asked = (DatabaseQuestion("SELECT string_agg(row, ' ') FROM notes", " ".join(ROWS)),)
    source = DatabaseArchive("apps/pg", ARCHIVE)
    return RestorableDatabase(database, source, ARCHIVE, cluster, secret="pg-app", questions=asked)  # noqa: S106 - its name


def stored_database(now: float) -> StoredDatabase:
    """Three rows, of three, two and one hours before `now`; the first is in the base backup."""
    rows = enumerate(ROWS, 1)
    return StoredDatabase("7123456789012345678", tuple(Commit(now - 3600 * (4 - n), n * 40 * _MIB + 4096, row) for n, row in rows))
