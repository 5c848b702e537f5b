"""Finds every backup that a repository declares: VolSync sources and destinations, other engines, Postgres clusters.

Works on the objects that Flux applies (house/flux); knows no settings and opens no backup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from house.data.archives import does_archive
from house.data.engines import engine_of
from house.data.foreign import foreign_engine
from house.data.makers import gap_of, is_paused, schedule_fault
from house.data.mover_faults import mover_fault
from house.data.releases import Releases
from house.files.grammar import KUBE_NAME, NAMESPACE, number_of
from house.files.problems import dotted
from house.files.quantity import bytes_of
from house.files.shapes import mapping, sequence
from house.flux.field_names import unknown_fields
from house.flux.fields import refused_field
from house.flux.graph import FLUX_GROUP, Applied
from house.flux.outside import BACKUP_GROUP, KOPIUR, is_kopiur_policy, misspelt, outside, unknown_version
from house.flux.rendered import NotFollowed, Rendered, RenderedObject
from house.flux.repositories import Repositories
from house.model import UnsupportedBackup
from house.repository.tree import Tree
from house.values.databases import Database
from house.values.reach import EVERYWHERE, of_velero

_NEAR = ("ReplicationSource", "ReplicationDestination", "PersistentVolumeClaim")


@dataclass(frozen=True)
class DeclaredBackup:
    """One claim that a restic ReplicationSource copies. `repository_note` says why `mover_repository` is "", when it is;
    `restored` is True when the claim's destination restores from the Secret that this source backs up to; `capacity` is that of
    the volume it makes, in bytes, 0 where nobody says. `destination_secret` is what the destination restores from. `others` are
    further sources of the claim, each into a repository of its own. `gap` is what lies between two backups at most, in seconds,
    None where nobody says.

    `mover_repository` may hold `{{ … }}` of an ExternalSecret's template: a part that only the cluster knows.
    """

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
    destination_secret: str = ""
    others: tuple[DeclaredBackup, ...] = ()
    gap: float | None = None


@dataclass(frozen=True)
class Declared:
    """All that was found, in the order of the graph. `second` are further restic sources of claims that are in `backups`, into the
    same repository."""

    backups: tuple[DeclaredBackup, ...]
    second: tuple[UnsupportedBackup, ...]
    unsupported: tuple[UnsupportedBackup, ...]
    databases: tuple[Database, ...]
    not_followed: tuple[NotFollowed, ...] = ()


def declared(tree: Tree, graph: tuple[Applied, ...], rendered: frozenset[str] = frozenset()) -> Declared:
    """Every backup of the graph. What is half declared (a source without a destination, say) becomes a note of the tree. `rendered`
    are the releases of which the graph has what their charts make."""
    finding = _Finding(tree, graph, rendered)
    for applied in graph:
        for found in applied.objects:
            finding.look_at(applied, found)
    for made in Releases(Rendered(tuple(one for applied in graph for one in applied.objects))).made()[0]:
        finding.look_at_made(made)
    return finding.found()


class _Finding:
    """What was found so far, and per namespace what a backup may be made of: its parts need not lie in one Kustomization."""

    def __init__(self, tree: Tree, graph: tuple[Applied, ...], rendered: frozenset[str]) -> None:
        self._tree, self._rendered = tree, rendered
        self._repositories = Repositories(one for applied in graph for one in applied.objects)
        self._near: dict[str, list[RenderedObject]] = {}
        for applied in graph:
            for one in applied.objects:
                if one.kind in _NEAR:
                    self._near.setdefault(one.namespace, []).append(one)
        self._backups: list[tuple[DeclaredBackup, RenderedObject]] = []
        self._unsupported: dict[tuple[str, str, str, str], UnsupportedBackup] = {}
        self._databases: list[Database] = []
        self._not_followed: dict[NotFollowed, None] = {}

    def found(self) -> Declared:
        backups, second = self._one_per_claim()
        return Declared(
            backups, second, tuple(self._unsupported.values()), tuple(self._databases), tuple(self._not_followed)
        )

    def look_at(self, applied: Applied, one: RenderedObject) -> None:
        """Add what this object declares."""
        if (refused := refused_field(one)) is not None:
            what = f"{one.kind} {one.name} is refused by the API server, and with it all of {one.kustomization}: {refused[0]}"
            self._tree.note(one.file, one.line, what, refused[1])
        elif odd := ", ".join(dotted(where) for where, _ in unknown_fields(one)):
            what = f"{one.kind} {one.name} has {odd}: a cluster that does not know it refuses all of {one.kustomization}"
            self._tree.note(one.file, one.line, what, "take it out, unless the cluster's version of the kind has it")
        ends = "restores nothing" if one.kind == "ReplicationDestination" else "makes no backups"
        if is_paused(one):
            self._tree.note(one.file, one.line, f"{one.name} is paused, and {ends} until it is not", "let it go on")
        if unmade := mover_fault(one):
            self._tree.note(one.file, one.line, f"{one.name} {ends}: {unmade}", "correct it")
        if wrong := schedule_fault(one):
            right = '"0 3 * * *"' if one.group == BACKUP_GROUP else '"0 0 3 * * *"'
            self._tree.note(one.file, one.line, f"{one.name} {ends}: its schedule {wrong}", f"right would be {right}")
        if (told := unknown_version(one)) is not None:
            self._tree.note(one.file, one.line, *told)
        if (told := misspelt(one)) is not None:
            self._tree.hides(one.file, one.line, *told)
        elif one.group == BACKUP_GROUP and one.kind == "ReplicationSource":
            self._source(applied, one)
        elif one.group == BACKUP_GROUP and one.kind == "ReplicationDestination":
            if not self._has_source(one):
                self._tree.note(one.file, one.line, f"{one.name} restores what nothing backs up", "add its source")
        elif KOPIUR in one.group:
            for name in _kopiur_claims(one) if is_kopiur_policy(one) else ():
                self._other(one, name, "kopiur", name)
        elif one.group == "postgresql.cnpg.io" and one.kind == "Cluster":
            self._databases.append(_database(one))
        elif engine := foreign_engine(one.group, one.kind, one.spec):
            self._other(one, one.name, engine, one.name)
        else:
            self._outside(one)

    def look_at_made(self, one: RenderedObject) -> None:
        """Add what a release of the app-template makes of its raw resources. Whether backups are among them its values say."""
        if one.group == "postgresql.cnpg.io" and one.kind == "Cluster":
            self._databases.append(_database(one))
        elif one.group == FLUX_GROUP and one.kind == "Kustomization":
            why = f"is made by a HelmRelease of {one.kustomization}"
            self._not_followed[NotFollowed(f"Kustomization {one.namespace}/{one.name}", why, one.file, one.line)] = None
        elif one.kind == "ResourceSet":
            self._outside(one)

    def _outside(self, one: RenderedObject) -> None:
        if one.kind == "HelmRelease" and f"{one.namespace}/{one.name}" in self._rendered:
            return
        seen = outside(one)
        if seen.not_followed is not None:
            self._not_followed[seen.not_followed] = None
        elif seen.mentions:
            what = f"{one.kind} {one.name} names {seen.mentions}, and is not followed"
            self._tree.note(one.file, one.line, what, "look whether it makes backups: none of those would be seen")

    def _source(self, applied: Applied, one: RenderedObject) -> None:
        engine = engine_of(one.spec)
        claim = str(one.spec.get("sourcePVC") or "")
        secret = _secret_of(one)
        unfilled = [name for name in one.missing if f"${{{name}" in f"{one.namespace} {claim} {secret} {one.name}"]
        if unfilled:
            what = f"the {one.kind} that {applied.app.key} applies needs {', '.join(unfilled)}, which Git gives no value"
            self._tree.hides(one.file, one.line, what, "give it one in postBuild, or a default")
        elif "${" in f"{one.namespace}{claim}{secret}{one.name}":
            what = f"the {one.kind} that {applied.app.key} applies has a variable in its name, and nothing is filled in there"
            self._tree.hides(one.file, one.line, what, "give the Kustomization a postBuild, or write the name out")
        elif (told := _misnamed(one, claim, secret)) is not None:
            self._tree.hides(one.file, one.line, f"the {one.kind} that {applied.app.key} applies: {told[0]}", told[1])
        elif not engine:
            self._tree.note(one.file, one.line, f"{one.name} names no engine, and makes no backups", "name one, as in restic")
        elif engine != "restic":
            self._other(one, claim or one.name, engine, one.name)
        elif not claim:
            self._tree.note(one.file, one.line, f"{one.name} says no sourcePVC, and is not followed", "name it")
        else:
            self._backups.append((self._backup(applied, one, claim, secret), one))

    def _other(self, one: RenderedObject, claim: str, engine: str, key: str) -> None:
        reach = of_velero(mapping(one.spec.get("template"))) if engine == "velero" else EVERYWHERE
        backup = UnsupportedBackup(one.namespace, claim, engine, one.declared_in, reach)
        self._unsupported.setdefault((one.namespace, claim, engine, key), backup)

    def _backup(self, applied: Applied, source: RenderedObject, claim: str, secret: str) -> DeclaredBackup:
        namespace = source.namespace
        own = source.file.startswith(applied.app.path.removeprefix("./"))
        place = source.declared_in if own or not applied.declared.kustomization else applied.declared.declared_in
        destination = self._destination_of(namespace, claim, secret)
        if destination is None:
            what = f"{namespace}/{claim} is backed up, but no ReplicationDestination restores it"
            self._tree.note(*_split(place), what, "add one")
        elif engine_of(destination.spec) != "restic":
            what = f"{namespace}/{claim} is backed up with restic, but {destination.name} restores it with another engine"
            self._tree.note(*_split(place), what, "only a destination with restic brings back what is audited here")
            destination = None
        there = mapping(destination.spec.get("restic")) if destination is not None else {}
        security = mapping(there.get("moverSecurityContext")) or mapping(mapping(source.spec["restic"]).get("moverSecurityContext"))
        repository, note = self._repositories.of(namespace, secret)
        if self._repositories.is_empty(namespace, secret):
            what = f"{namespace}/{claim} is backed up to nowhere: {note}"
            self._tree.note(*_split(place), what, "write the repository's address")
        return DeclaredBackup(
            namespace=namespace,
            claim=claim,
            app=applied.variables.get("APP") or applied.app.name,
            flux_app=applied.app.key,
            source=source.name,
            destination=destination.name if destination is not None else "",
            trigger=_text(mapping(destination.spec.get("trigger")).get("manual")) if destination is not None else "",
            repository_secret=secret,
            mover_repository=repository,
            repository_note=note,
            uid=_number(security.get("runAsUser")),
            gid=_number(security.get("runAsGroup", security.get("fsGroup"))),
            restore_as_of=_text(there.get("restoreAsOf")),
            declared_in=place,
            copy_method=_text(there.get("copyMethod")),
            capacity=bytes_of(_text(there.get("capacity"))),
            destination_app=destination.kustomization if destination is not None else "",
            restored=destination is not None and _secret_of(destination) == secret,
            destination_secret=_secret_of(destination) if destination is not None else "",
            gap=gap_of(source),
        )

    def _destination_of(self, namespace: str, claim: str, secret: str) -> RenderedObject | None:
        """The destination that populates the claim: the one its dataSourceRef names, else the one with the same repository."""
        near = self._near.get(namespace, [])
        destinations = [one for one in near if one.kind == "ReplicationDestination" and one.group == BACKUP_GROUP]
        for one in near:
            if one.kind == "PersistentVolumeClaim" and one.name == claim:
                reference = mapping(one.spec.get("dataSourceRef"))
                if reference.get("kind") == "ReplicationDestination":
                    return next((d for d in destinations if d.name == str(reference.get("name"))), None)
        same = [one for one in destinations if _secret_of(one) == secret]
        return same[0] if len(same) == 1 else None

    def _has_source(self, destination: RenderedObject) -> bool:
        near = self._near.get(destination.namespace, [])
        wanted = _secret_of(destination)
        return any(one.kind == "ReplicationSource" and _secret_of(one) == wanted for one in near)

    def _one_per_claim(self) -> tuple[tuple[DeclaredBackup, ...], tuple[UnsupportedBackup, ...]]:
        """Of several sources of one claim the one that its destination restores from, else the first, with the others that have a
        repository of their own; and those that have none, named."""
        kept: dict[tuple[str, str], DeclaredBackup] = {}
        second = []
        for backup, one in sorted(self._backups, key=lambda pair: not pair[0].restored):
            place = (backup.namespace, backup.claim)
            first = kept.setdefault(place, backup)
            if first is backup:
                continue
            known = (first, *first.others)
            if not any(_one_repository(backup, other) for other in known):
                kept[place] = replace(first, others=(*first.others, backup))
                continue
            claim = f"{backup.namespace}/{backup.claim}"
            what = f"{backup.source} backs up {claim} a second time, into the same repository"
            self._tree.note(one.file, one.line, what, f"what is looked at is {first.source} at {first.declared_in}")
            second.append(UnsupportedBackup(backup.namespace, backup.claim, "restic", one.declared_in))
        for backup in kept.values():
            if backup.destination and not backup.restored:
                what = f"{backup.namespace}/{backup.claim} is backed up to {backup.repository_secret}"
                what += f", but {backup.destination} restores from another Secret"
                self._tree.note(*_split(backup.declared_in), what, "name one Secret in both")
        order = dict.fromkeys((backup.namespace, backup.claim) for backup, _ in self._backups)
        return tuple(kept[place] for place in order), tuple(second)


def _one_repository(backup: DeclaredBackup, other: DeclaredBackup) -> bool:
    """Whether two sources go to one repository: by one Secret, or by what their movers see."""
    seen = backup.mover_repository.rstrip("/")
    return backup.repository_secret == other.repository_secret or bool(seen and seen == other.mover_repository.rstrip("/"))


def _secret_of(one: RenderedObject) -> str:
    """Name of the Secret that says where a source or destination keeps its repository, whatever its engine."""
    return _text(mapping(one.spec.get(engine_of(one.spec))).get("repository"))


def _misnamed(one: RenderedObject, claim: str, secret: str) -> tuple[str, str] | None:
    """Which of the names that a backup is known by is none, and what would be right; None when all are some."""
    if (told := NAMESPACE.wrong(one.namespace)) is not None:
        return told
    return next((told for name in (one.name, claim, secret) if name and (told := KUBE_NAME.wrong(name)) is not None), None)


def _kopiur_claims(policy: RenderedObject) -> Iterator[str]:
    """The claims that a policy of kopiur backs up; its own name where it selects them by something else."""
    sources = sequence(policy.spec.get("sources"))
    for source in sources:
        yield _text(mapping(mapping(source).get("pvc")).get("name")) or policy.name
    if not sources:
        yield policy.name


def _database(found: RenderedObject) -> Database:
    spec = found.spec
    return Database(
        namespace=found.namespace,
        name=found.name,
        flux_app=found.kustomization,
        archives=does_archive(spec),
        recovers=bool(mapping(mapping(spec.get("bootstrap")).get("recovery"))),
        declared_in=found.declared_in,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> int | None:
    text = _text(value)
    return number_of(text, 2**32 - 1)


def _split(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return (file, int(line)) if file and line.isdecimal() else (place, 0)
