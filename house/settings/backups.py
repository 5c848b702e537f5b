"""The `backups` part of blackstart.yaml as typed sections: how backups are opened from here, and what they must hold.

Knows nothing of the repository: that these fit it is judged in house/catalog.py.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from house.settings.section import Section
from house.settings.section import what as _what
from house.settings.values import (
    Age,
    KubeName,
    LeastBytes,
    Moment,
    PathText,
    Reason,
    Reference,
    Share,
    Store,
)


class OpenAsSection(Section):
    """One rule: how a repository that a mover sees under this pattern is opened from here."""

    seen: Store = Field(description="what the mover sees", examples=["/repository/{app}"], min_length=1)
    open: Store | None = Field(
        default=None, description="how it is opened here", examples=["sftp:backup@nas:/volume1/{app}"], min_length=1
    )
    password: Reference | None = _what("a reference to the repositories' password", "env:RESTIC_PASSWORD", None)
    environment: dict[str, Reference] = _what("references to credentials by variable", {"AWS_ACCESS_KEY_ID": "env:KEY_ID"}, {})
    ca_file: PathText | None = _what("the file of the CA that signed the store's certificate", "minio-ca.pem", None)
    region: str | None = Field(default=None, description="a bucket's region", examples=["eu-central-1"], min_length=1)
    addressing: Literal["path", "virtual"] = _what("how a bucket is addressed: path, or virtual as a host", "virtual", "path")


class RequirementSection(Section):
    """What a claim must come back with."""

    data: Literal["required", "may-be-empty"] | None = _what("required or may-be-empty", "required", None)
    max_age: Age | None = _what("the greatest age of its newest backup", "36h", None)
    min_bytes: LeastBytes | None = _what("the least bytes of its newest backup", "1MiB", None)
    normal_since: Moment | None = _what("when its data were made fewer on purpose", "2026-10-01T00:00:00Z", None)
    max_loss: Share | None = _what("what share of its files may be gone when it is released and first backed up", "1%", None)


class SourceSection(Section):
    """One more place that a claim is backed up to, and the Secret with which a mover reaches it."""

    secret: KubeName = _what("the Secret of the claim's namespace that a mover is given", "notes-nas")
    repository: Store = Field(description="what the mover sees", examples=["/repository/notes"], min_length=1)
    password: Reference | None = _what("a reference to the repository's password", "env:NOTES_PASSWORD", None)


class ClaimSection(RequirementSection):
    """One claim, named `namespace/claim`, that differs from the defaults or that the repository says too little of."""

    repository: Store | None = Field(default=None, description="what the mover sees", examples=["/repository/notes"], min_length=1)
    password: Reference | None = _what("a reference to the repository's password", "env:NOTES_PASSWORD", None)
    sources: list[SourceSection] = _what(
        "further places that it is backed up to", [{"secret": "notes-nas", "repository": "/repository/notes"}], []
    )


class QuestionSection(Section):
    """What a restored database is asked, and what it must answer."""

    sql: Reason = _what("one query", "SELECT count(*) FROM notes")
    expect: str = _what("its answer as psql prints it, or > N, >= N", "> 100")
    database: str = _what("the database that is asked", "notes", "postgres")


class DatabaseSection(Section):
    """How the archive of one CloudNativePG cluster, named `namespace/cluster`, is opened from here."""

    open: Store | None = Field(
        default=None, description="where it is, Git's when left out", examples=["s3:https://…/bucket/postgres"], min_length=1
    )
    environment: dict[str, Reference] = _what("references to credentials by variable", {"AWS_ACCESS_KEY_ID": "env:KEY_ID"}, {})
    ca_file: PathText | None = _what("the file of the CA that signed the store's certificate", "minio-ca.pem", None)
    max_age: Age | None = _what("the greatest age of its newest base backup, its ScheduledBackup's when left out", "8d", None)
    max_log_age: Age | None = _what("how long ago its log may have ended, 6h when left out", "2d", None)
    probe: list[QuestionSection] = _what("what it is asked once restored", [{"sql": "SELECT 1", "expect": "1"}], [])


class BackupsSection(Section):
    """How backups are opened from here, and what they must hold."""

    password: Reference | None = _what("a reference to the password where a rule names none", "env:RESTIC_PASSWORD", None)
    open_as: list[OpenAsSection] = _what("the rules, first that fits counts", [{"seen": "s3:*"}], [])
    defaults: RequirementSection = _what("what every claim must come back with", "{max_age: 36h}", RequirementSection())
    claims: dict[str, ClaimSection] = _what("claims that differ, as namespace/claim", {"apps/notes": {"max_age": "36h"}}, {})
    not_followed: dict[str, str] = _what(
        "what need not be followed, as it is named, and why", {"Kustomization flux-system/vendor": "holds no backup"}, {}
    )
    databases: dict[str, DatabaseSection] = _what("how archives of databases are opened", {"db/postgres": {"environment": {}}}, {})
    unprotected: dict[str, Reason] = _what("what has no backup, and why, by its name", {"media/films": "bought on discs"}, {})
