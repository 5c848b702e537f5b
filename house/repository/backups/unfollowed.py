"""Backups that stand in a repository's files, where nothing says what is applied of them, or Flux refuses what is: counted, lest
they be taken for none. Knows no patch, and does not see whether a file is used at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from house.data.engines import engine_of
from house.data.foreign import GROUPS, KINDS, foreign_engine
from house.files import yamlfile
from house.files.problems import shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.flux.graph import Refused
from house.flux.outside import BACKUP_GROUP, KOPIUR
from house.flux.substitution import substitute
from house.model import UnsupportedBackup
from house.repository.backups.behind import behind
from house.repository.backups.own_backups import WORKLOADS, backs_up_with
from house.repository.tree import Tree

_KINDS = re.compile(
    r"^kind:[ \t]*[\"']?(?:ReplicationSource|SnapshotPolicy|ScheduledBackup|CronJob"
    rf"|{'|'.join((*sorted(KINDS), *WORKLOADS))})\b",
    re.M,
)
_DATABASE = "postgresql.cnpg.io"
_GROUPS = "|".join(map(re.escape, sorted({*GROUPS, BACKUP_GROUP, _DATABASE, "batch", "apps"})))
_APIS = re.compile(rf"^apiVersion:[ \t]*[\"']?(?:{_GROUPS}|[\w.-]*{KOPIUR})", re.M)


NOT_REACHED = "applied by nothing that is followed"
_INLINE = re.compile(r"\{\{.*?\}\}", re.S)
_WHOLE_LINE = re.compile(r"^[ \t]*\{\{[^\n]*?\}\}[ \t]*$", re.M)


def in_files(tree: Tree, applied_by: str) -> tuple[UnsupportedBackup, ...]:
    """Each object of a file that makes backups, with its engine; `applied_by` says why it is not looked into, as in "not applied by
    Flux"."""
    found: dict[UnsupportedBackup, None] = {}
    for file in tree.manifests():
        text = tree.text(file)
        if not (_KINDS.search(text) and _APIS.search(text)):
            continue
        for document, above in _documents(tree, file):
            if engine := _engine(document):
                metadata = mapping(mapping(document.value).get("metadata"))
                name, space = str(metadata.get("name") or "without a name"), str(metadata.get("namespace") or "")
                place = f"{document.name}:{document.spot.line + above}"
                found[UnsupportedBackup(space, name, f"{engine}, {applied_by}", place)] = None
    return tuple(found)


def _documents(tree: Tree, file: Path) -> Iterator[tuple[Document, int]]:
    """The documents of a file, each with the number of lines above what its lines count from; of a chart's template those that are
    YAML once every expression in a line is a word and lines of nothing else are empty."""
    text = tree.text(file)
    if "{{" not in text:
        yield from ((one, 0) for one in tree.documents(file))
        return
    name, at = shown(file, tree.root), 0
    for part in re.split(r"^---", text, flags=re.M):
        plain = _INLINE.sub("…", _WHOLE_LINE.sub("", part))
        with suppress(YamlInvalid):
            yield from ((one, at) for one in yamlfile.parse(plain, name))
        at += part.count("\n")


def not_reached(tree: Tree) -> tuple[UnsupportedBackup, ...]:
    """What in_files finds where Flux declares no backup at all: another cluster's of this repository, or of another entry. One
    whose name is a variable is a pattern that nobody uses."""
    found = in_files(tree, NOT_REACHED)
    return tuple(one for one in found if "$" not in one.name and "$" not in one.namespace)


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
