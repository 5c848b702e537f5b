"""A database that can be made again from an archive, and what it is asked afterwards. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from house.model import Database, DatabaseArchive  # which themselves are of a house that holds these


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
    `user` and `app_database` are "" where Git leaves them to the operator.
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

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.database.key
