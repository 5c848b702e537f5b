"""The past of a house's database: a real PostgreSQL writes its rows, and barman-cloud leaves base backup and log at the store.

Knows no cluster: there is none any more.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.modelled.stored import ROWS
from lab.parts.databases.barman import Cloud, s3_environment
from lab.parts.databases.postgres import Postgres, a_folder, authority_for
from lab.wire.s3.door import AccessKey

DATABASE, OWNER = "app", "app"
"""What CloudNativePG calls both where nothing else is said."""


def leave_archive(url: str, bucket: str, server: str, key: AccessKey, ca_file: Path) -> None:
    """The archive of a database whose first row is in the base backup, and whose others are in the log behind it. Takes some
    seconds. PartFailed with a program's own words."""
    folder = a_folder()
    try:
        environment = s3_environment(key.key_id, key.secret.reveal(), authority_for(folder, ca_file))
        database = Postgres("past", folder, Cloud(url, f"s3://{bucket}", server, environment))
        database.make()
        database.start()
        try:
            _use(database)
        finally:
            database.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _use(database: Postgres) -> None:
    database.psql(f"CREATE ROLE {OWNER} LOGIN; CREATE DATABASE {DATABASE} OWNER {OWNER};")
    first, *others = ROWS
    database.psql(f"CREATE TABLE notes (n serial, row text); ALTER TABLE notes OWNER TO {OWNER};", database=DATABASE)
    _insert(database, first)
    database.back_up()
    for row in others:
        _insert(database, row)
        database.archived()


def _insert(database: Postgres, row: str) -> None:
    database.psql(f"INSERT INTO notes (row) VALUES ('{row}');", database=DATABASE)  # noqa: S608 - a word of ours
