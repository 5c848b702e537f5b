"""Databases of a house, their archives, which of them can be made again, and what those are asked afterwards. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass

from house.settings.references import SecretRef


@dataclass(frozen=True)
class Database:
    """A CloudNativePG cluster of the repository: whether it archives, and whether it is made by recovery from its archive."""

    namespace: str
    name: str
    flux_app: str
    archives: bool
    recovers: bool
    declared_in: str

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def held(self) -> bool:
        """Whether it would come up empty and archive over its own backups: the hold refuses to have it made."""
        return self.archives and not self.recovers


@dataclass(frozen=True)
class DatabaseArchive:
    """Where a database archives to, and how that is opened: `place` as `s3:https://endpoint/bucket/path/server`, "" where `note`
    says why it cannot be told. It is known as `namespace/name` of the database. `max_age` and `max_log_age` are the greatest ages
    in seconds of the newest base backup and of the log's end; 0.0 = any."""

    key: str
    place: str
    environment: tuple[tuple[str, SecretRef], ...] = ()
    ca_file: str = ""
    note: str = ""
    max_age: float = 36 * 3600.0
    max_log_age: float = 6 * 3600.0


@dataclass(frozen=True)
class DatabaseQuestion:
    """SQL that is asked of a restored database, and what it must answer: a text, or `> N` and `>= N` for a number."""

    sql: str
    expect: str
    database: str = "postgres"


@dataclass(frozen=True)
class RestorableDatabase:
    """A database with the archive that it would be made again from (`source`), and the place that it archives to from then on.

    `manifest` is the Cluster as Git declares it (JSON); where `database.recovers` it says itself where from, and `target` up to
    when ("" for the end of the log). `secret` holds the application's password, which the operator makes up where `generated`;
    `user` and `app_database` are "" where Git leaves them to the operator. `over_itself`: Git has it recover from the very place
    that it then archives to, and its operator waits there for good; by Git's own words, wherever the settings open `source`.
    """

    database: Database
    source: DatabaseArchive
    writes: str
    manifest: str
    target: str = ""
    secret: str = ""
    generated: bool = True
    user: str = ""
    app_database: str = ""
    questions: tuple[DatabaseQuestion, ...] = ()
    over_itself: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.database.key
