"""Backups that stand in a repository's files, where nothing says what is applied of them: counted, lest they be taken for none.

Knows no graph: what a variable stands for, and whether a file is used at all, is not seen.
"""

from __future__ import annotations

import re

from house.data.engines import engine_of
from house.data.foreign import GROUPS, foreign_engine
from house.files.shapes import mapping
from house.flux.outside import BACKUP_GROUP, KOPIUR
from house.model import UnsupportedBackup
from house.repository.tree import Tree

_KINDS = re.compile(r"^kind:[ \t]*[\"']?(?:ReplicationSource|SnapshotPolicy|Schedule|RecurringJob|ScheduledBackup)\b", re.M)
_DATABASE = "postgresql.cnpg.io"
_GROUPS = "|".join(map(re.escape, sorted({*GROUPS, BACKUP_GROUP, _DATABASE})))
_APIS = re.compile(rf"^apiVersion:[ \t]*[\"']?(?:{_GROUPS}|[\w.-]*{KOPIUR})", re.M)


def in_files(tree: Tree, applied_by: str) -> tuple[UnsupportedBackup, ...]:
    """Each object of a file that makes backups, with its engine; `applied_by` says why it is not looked into, as in "not applied by
    Flux"."""
    found: dict[UnsupportedBackup, None] = {}
    for file in tree.manifests():
        text = tree.text(file)
        if not (_KINDS.search(text) and _APIS.search(text)):
            continue
        for document in tree.documents(file):
            body = mapping(document.value)
            metadata, spec = mapping(body.get("metadata")), mapping(body.get("spec"))
            engine = _engine(str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind")), spec)
            if engine:
                name, space = str(metadata.get("name") or "without a name"), str(metadata.get("namespace") or "")
                place = f"{document.name}:{document.spot.line}"
                found[UnsupportedBackup(space, name, f"{engine}, {applied_by}", place)] = None
    return tuple(found)


def _engine(group: str, kind: str, spec: dict[str, object]) -> str:
    if group == BACKUP_GROUP and kind == "ReplicationSource":
        return engine_of(spec)
    if KOPIUR in group and kind == "SnapshotPolicy":
        return KOPIUR
    if group == _DATABASE and kind == "ScheduledBackup":
        return "CloudNativePG"
    return foreign_engine(group, kind, spec)
