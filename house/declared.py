"""Finds every backup that a repository declares: VolSync sources and destinations, other engines, Postgres clusters.

Works on the objects of house/fluxgraph.py; knows no settings and opens no backup.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from house.fluxgraph import Applied
from house.kustomize import Found, Tree, mapping, sequence
from house.model import Database, UnsupportedBackup
from house.quantity import bytes_of

_VOLSYNC_ENGINES = ("restic", "kopia", "rclone", "rsync", "rsyncTLS", "syncthing", "external")
_PARTS = ("ReplicationSource", "ReplicationDestination", "PersistentVolumeClaim", "ExternalSecret", "Secret")
_Near = tuple[Applied, Found]
_PASSWORD = re.compile(r"//[^/@\s]*:[^/@\s]*@")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


@dataclass(frozen=True)
class DeclaredBackup:
    """One claim that a restic ReplicationSource copies. `repository_note` says why `mover_repository` is "", when it is;
    `restored` is True when the claim's destination restores from the Secret that this source backs up to; `capacity` is that of
    the volume it makes, in bytes, 0 where nobody says."""

    namespace: str
    claim: str
    app: str
    flux_app: str
    source: str
    destination: str
    trigger: str
    repository_secret: str
    mover_repository: str
    repository_note: str
    uid: int | None
    gid: int | None
    restore_as_of: str
    declared_in: str
    restored: bool = False
    copy_method: str = ""
    destination_app: str = ""
    capacity: int = 0


@dataclass(frozen=True)
class Declared:
    """All that was found, in the order of the graph."""

    backups: tuple[DeclaredBackup, ...]
    unsupported: tuple[UnsupportedBackup, ...]
    databases: tuple[Database, ...]


def declared(tree: Tree, graph: list[Applied]) -> Declared:
    """Every backup of the graph. What is half declared (a source without a destination, say) becomes a note of the tree."""
    near = _neighbours(graph)
    backups: list[DeclaredBackup] = []
    unsupported: list[UnsupportedBackup] = []
    databases: list[Database] = []
    for applied in graph:
        for found in applied.objects:
            here = near.get(applied.namespace_of(found), [])
            if found.group == "volsync.backube":
                engine = next((e for e in _VOLSYNC_ENGINES if e in found.spec), "")
                if engine != "restic":
                    unsupported.append(_unsupported(applied, found, engine or "unknown"))
                elif found.kind == "ReplicationSource":
                    if applied.text(found.spec.get("sourcePVC")).text:
                        backups.append(_backup(tree, applied, found, here))
                    else:
                        what = f"{_name(applied, found)} says no sourcePVC, and is not followed"
                        tree.note(found.file, found.line, what, "name it")
                elif found.kind == "ReplicationDestination" and not _has_source(applied, found, here):
                    tree.note(found.file, found.line, f"{_name(applied, found)} restores what nothing backs up", "add its source")
            elif "kopiur" in found.group and not found.kind.endswith("Repository"):
                unsupported.append(_unsupported(applied, found, "kopiur"))
            elif found.group == "postgresql.cnpg.io" and found.kind == "Cluster":
                databases.append(_database(applied, found))
    return Declared(_one_per_claim(tree, backups), tuple(unsupported), tuple(databases))


def _one_per_claim(tree: Tree, backups: list[DeclaredBackup]) -> tuple[DeclaredBackup, ...]:
    """Of several sources of one claim the one that its destination restores from, else the first: the others are named."""
    kept: dict[tuple[str, str], DeclaredBackup] = {}
    for backup in sorted(backups, key=lambda b: not b.restored):
        first = kept.setdefault((backup.namespace, backup.claim), backup)
        if first is not backup:
            claim = f"{backup.namespace}/{backup.claim}"
            what = f"{backup.source} backs up {claim} a second time, which is neither audited nor restored"
            tree.note(*_split(backup.declared_in), what, f"what is looked at is {first.source} at {first.declared_in}")
    for backup in kept.values():
        if backup.destination and not backup.restored:
            what = f"{backup.namespace}/{backup.claim} is backed up to {backup.repository_secret}"
            what += f", but {backup.destination} restores from another Secret"
            tree.note(*_split(backup.declared_in), what, "name one Secret in both")
    return tuple(backup for backup in backups if kept[backup.namespace, backup.claim] is backup)


def _neighbours(graph: list[Applied]) -> dict[str, list[_Near]]:
    """Per namespace, what a backup may be made of: its parts need not lie in one Kustomization."""
    near: dict[str, list[_Near]] = {}
    for applied in graph:
        for found in applied.objects:
            if found.kind in _PARTS:
                near.setdefault(applied.namespace_of(found), []).append((applied, found))
    return near


def _backup(tree: Tree, applied: Applied, source: Found, near: list[_Near]) -> DeclaredBackup:
    namespace = applied.namespace_of(source)
    claim = applied.text(source.spec.get("sourcePVC")).text
    restic = mapping(source.spec.get("restic"))
    secret = _repository_of(applied, source)
    place = source.place if source.file.startswith(applied.app.path.removeprefix("./")) else applied.declared.place
    restorer = _destination_of(claim, secret, near)
    if restorer is None:
        tree.note(*_split(place), f"{namespace}/{claim} is backed up, but no ReplicationDestination restores it", "add one")
    by, destination = restorer if restorer is not None else (applied, None)
    there = mapping(destination.spec.get("restic")) if destination is not None else {}
    security = mapping(there.get("moverSecurityContext")) or mapping(restic.get("moverSecurityContext"))
    repository, note = _repository(namespace, secret, near)
    if "${" in f"{namespace}{claim}{secret}":
        what = f"the backup of {namespace}/{claim} uses a variable that the repository does not show"
        tree.note(*_split(place), what, "give it a value")
    return DeclaredBackup(
        namespace=namespace,
        claim=claim,
        app=applied.variables.get("APP") or applied.app.name,
        flux_app=applied.app.key,
        source=_name(applied, source),
        destination=_name(by, destination) if destination is not None else "",
        trigger=by.text(mapping(destination.spec.get("trigger")).get("manual")).text if destination is not None else "",
        repository_secret=secret,
        mover_repository=repository,
        repository_note=note,
        uid=_number(by, security.get("runAsUser")),
        gid=_number(by, security.get("runAsGroup", security.get("fsGroup"))),
        restore_as_of=by.text(there.get("restoreAsOf")).text,
        declared_in=place,
        copy_method=by.text(there.get("copyMethod")).text,
        destination_app=by.app.key if destination is not None else "",
        capacity=bytes_of(by.text(there.get("capacity")).text),
        restored=destination is not None and _repository_of(by, destination) == secret,
    )


def _destination_of(claim: str, secret: str, near: list[_Near]) -> _Near | None:
    """The destination that populates the claim: the one its dataSourceRef names, else the one with the same repository."""
    destinations = [(a, f) for a, f in near if f.kind == "ReplicationDestination" and f.group == "volsync.backube"]
    for applied, found in near:
        if found.kind == "PersistentVolumeClaim" and _name(applied, found) == claim:
            reference = mapping(found.spec.get("dataSourceRef"))
            if reference.get("kind") == "ReplicationDestination":
                wanted = applied.text(reference.get("name")).text
                return next(((a, d) for a, d in destinations if _name(a, d) == wanted), None)
    same = [(a, d) for a, d in destinations if _repository_of(a, d) == secret]
    return same[0] if len(same) == 1 else None


def _has_source(applied: Applied, destination: Found, near: list[_Near]) -> bool:
    secret = _repository_of(applied, destination)
    return any(f.kind == "ReplicationSource" and _repository_of(a, f) == secret for a, f in near)


def _repository_of(applied: Applied, found: Found) -> str:
    """Name of the Secret that says where a source or destination keeps its repository."""
    return applied.text(mapping(found.spec.get("restic")).get("repository")).text


def _repository(namespace: str, secret: str, near: list[_Near]) -> tuple[str, str]:
    """RESTIC_REPOSITORY of a Secret as the repository declares it, or "" and why it cannot be told."""
    for applied, found in near:
        if found.kind == "ExternalSecret":
            target = mapping(found.spec.get("target"))
            name = applied.text(target.get("name")).text or _name(applied, found)
            if name == secret:
                data = mapping(mapping(target.get("template")).get("data"))
                return _told(applied, data.get("RESTIC_REPOSITORY"), f"ExternalSecret at {found.place}")
        elif found.kind == "Secret" and not found.group and _name(applied, found) == secret:
            if "sops" in found.body:
                return "", f"it is encrypted in {found.file}: known only after decrypting"
            return _told(applied, _secret_entry(found), f"Secret at {found.place}")
    return "", f"no Secret or ExternalSecret {namespace}/{secret} is in the repository"


def _secret_entry(secret: Found) -> str | None:
    """The one entry of a plain Secret that is no secret: where the repository is."""
    text = mapping(secret.body.get("stringData")).get("RESTIC_REPOSITORY")
    if text is not None:
        return str(text)
    encoded = mapping(secret.body.get("data")).get("RESTIC_REPOSITORY")
    if encoded is None:
        return None
    try:
        return base64.b64decode(str(encoded), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _told(applied: Applied, value: Any, where: str) -> tuple[str, str]:
    if value is None:
        return "", f"{where} does not show RESTIC_REPOSITORY: known only in the cluster"
    done = applied.text(value)
    if done.missing or done.bad:
        return "", f"{where} needs {', '.join(done.missing or done.bad)}, which the repository does not show"
    if _PASSWORD.search(done.text):
        return "", f"{where} has a password in RESTIC_REPOSITORY, which is not read from there"
    if _TEMPLATE.search(done.text):
        return "", f"{where} fills RESTIC_REPOSITORY in from its store: known only in the cluster"
    return done.text, ""


def _database(applied: Applied, found: Found) -> Database:
    spec = found.spec
    backup = mapping(spec.get("backup"))
    plugins = [mapping(p) for p in sequence(spec.get("plugins"))]
    return Database(
        namespace=applied.namespace_of(found),
        name=_name(applied, found),
        flux_app=applied.app.key,
        archives="barmanObjectStore" in backup or any(p.get("isWALArchiver") is True for p in plugins),
        recovers="recovery" in mapping(spec.get("bootstrap")),
        declared_in=found.place,
    )


def _unsupported(applied: Applied, found: Found, engine: str) -> UnsupportedBackup:
    return UnsupportedBackup(applied.namespace_of(found), _name(applied, found), engine, found.place)


def _name(applied: Applied, found: Found) -> str:
    return applied.text(found.name).text


def _number(applied: Applied, value: Any) -> int | None:
    text = applied.text(value).text
    return int(text) if text.isdigit() else None


def _split(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line)
