"""Backups that stand in a repository's files, where nothing says what is applied of them, or Flux refuses what is: counted, lest
they be taken for none. Knows no patch, and does not see whether a file is used at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from house.data.engines import engine_of
from house.data.foreign import GROUPS, foreign_engine
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.flux.graph import Refused
from house.flux.outside import BACKUP_GROUP, KOPIUR
from house.flux.substitution import substitute
from house.model import UnsupportedBackup
from house.repository.behind import behind
from house.repository.own_backups import WORKLOADS, backs_up_with
from house.repository.tree import Tree

_KINDS = re.compile(
    r"^kind:[ \t]*[\"']?(?:ReplicationSource|SnapshotPolicy|Schedule|RecurringJob|ScheduledBackup|CronJob"
    rf"|{'|'.join(WORKLOADS)})\b",
    re.M,
)
_DATABASE = "postgresql.cnpg.io"
_GROUPS = "|".join(map(re.escape, sorted({*GROUPS, BACKUP_GROUP, _DATABASE, "batch", "apps"})))
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
            if engine := _engine(document):
                metadata = mapping(mapping(document.value).get("metadata"))
                name, space = str(metadata.get("name") or "without a name"), str(metadata.get("namespace") or "")
                found[UnsupportedBackup(space, name, f"{engine}, {applied_by}", _place(document))] = None
    return tuple(found)


def behind_refused(root: Path, base: str, refused: Iterable[Refused]) -> tuple[UnsupportedBackup, ...]:
    """Each backup that Kustomizations declare which Flux refuses (see Graph.refused), by its claim where it names one."""
    found: dict[tuple[str, str, str], UnsupportedBackup] = {}
    for one in behind(root, base, refused):
        if engine := _engine(one.document):
            for claim in _claims(mapping(one.document.value)):
                name = substitute(claim, one.variables).text
                backup = UnsupportedBackup(
                    substitute(one.namespace, one.variables).text, name, f"{engine}, behind what Flux refuses", _place(one.document)
                )
                found.setdefault((backup.namespace, name, engine), backup)
    return tuple(found.values())


def _place(document: Document) -> str:
    return f"{document.name}:{document.spot.line}"


def _claims(body: Mapping[str, object]) -> list[str]:
    """What a backup is known by: the claims that it names, else its own name."""
    spec = mapping(body.get("spec"))
    name = str(mapping(body.get("metadata")).get("name") or "without a name")
    if body.get("kind") == "SnapshotPolicy":
        sources = [mapping(mapping(source).get("pvc")).get("name") for source in sequence(spec.get("sources"))]
        return [str(source or name) for source in sources] or [name]
    return [str((body.get("kind") == "ReplicationSource" and spec.get("sourcePVC")) or name)]


def _engine(document: Document) -> str:
    """The engine of a document that makes backups, "" for any other."""
    body = mapping(document.value)
    group, kind, spec = str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind")), mapping(body.get("spec"))
    if group == BACKUP_GROUP and kind == "ReplicationSource":
        return engine_of(spec)
    if KOPIUR in group and kind == "SnapshotPolicy":
        return KOPIUR
    if group == _DATABASE and kind == "ScheduledBackup":
        return "CloudNativePG"
    program = backs_up_with(kind, group, str(mapping(body.get("metadata")).get("name") or ""), spec)
    return f"{program} of its own" if program else foreign_engine(group, kind, spec)
