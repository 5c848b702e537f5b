"""What kopia backs up, as Git declares it: sources of VolSync's fork and policies of kopiur, each with whose snapshots are its own.

One repository holds the snapshots of many, told apart by `user@host:/path`. Opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from house.catalog import Located, opened_by, requirement_of
from house.data.engines import engine_of
from house.declared.openings import Opening, pattern
from house.files.shapes import mapping, sequence
from house.flux.outside import BACKUP_GROUP, KOPIUR, is_kopiur_policy
from house.flux.rendered import Rendered, RenderedObject
from house.flux.repositories import Repositories
from house.model import BackedUpClaim, SecretRef
from house.settings.backups import BackupsSection, ClaimSection
from house.settings.sections import DEFAULT_MAX_AGE
from house.values.sources import KOPIA

_MOVER_PATH = "/data"
"""What a mover of the fork backs up, where its source names no other path."""
_LONGEST_USER = 50
_WHO = ("username", "hostname")


@dataclass(frozen=True)
class DeclaredKopia:
    """One claim of one source or policy. `identity` is "" where Git does not tell it, `seen` where it does not tell the
    repository; `note` says why."""

    claim: str
    made_by: RenderedObject
    secret: str
    seen: str
    identity: str
    note: str = ""
    destination: str = ""


def kopia_backups(rendered: Rendered) -> tuple[DeclaredKopia, ...]:
    """All, in the order of the graph. What names no claim is none of these: house/repository/backups/declared.py counts it."""
    repositories = Repositories(rendered.objects)
    found: list[DeclaredKopia] = []
    for one in rendered.objects:
        if one.group == BACKUP_GROUP and one.kind == "ReplicationSource" and engine_of(one.spec) == KOPIA:
            found += _of_the_fork(one, rendered, repositories)
        elif is_kopiur_policy(one):
            found += _of_kopiur(one, rendered)
    return tuple(found)


def kopia_keys(rendered: Rendered) -> tuple[str, ...]:
    """`namespace/claim` of each."""
    return tuple(f"{one.made_by.namespace}/{one.claim}" for one in kopia_backups(rendered))


def kopia_claims(
    rendered: Rendered,
    settings: BackupsSection,
    located: Located,
    secret: Callable[[SecretRef], SecretRef],
    ages: Mapping[str, float],
    others: Iterable[BackedUpClaim],
) -> tuple[BackedUpClaim, ...]:
    """Those that a rule of the settings opens, as claims. `others` are those that restic backs up; the rest is as in
    `catalog`."""
    openings = [Opening(rule, pattern(rule.seen)) for rule in settings.open_as]
    made: list[BackedUpClaim] = []
    taken = {one.key for one in others}
    for one in kopia_backups(rendered):
        by = one.made_by
        key = f"{by.namespace}/{one.claim}"
        own = settings.claims.get(key, ClaimSection()) if key not in taken else ClaimSection()
        seen = own.repository or one.seen
        way = opened_by(openings, seen, one.note)
        if not way.address or not one.identity:
            continue
        password = own.password or (way.rule.password if way.rule is not None else None) or settings.password
        made.append(BackedUpClaim(
            namespace=by.namespace, claim=one.claim, app=one.claim, destination=one.destination, source=by.name, trigger="",
            repository_secret=one.secret, mover_repository=seen, open_as=way.address,
            password=secret(password) if password is not None else SecretRef(()), environment=way.environment(secret),
            ca_file=way.ca_file(located), uid=None, gid=None,
            requirement=requirement_of(own, settings.defaults, ages.get(key, DEFAULT_MAX_AGE)),
            flux_app=by.kustomization, declared_in=by.declared_in, region=way.region, addressing=way.addressing,
            origin=by.name if key in taken else "", engine=KOPIA, identity=one.identity, by=by.kind,
        ))  # fmt: skip
        taken.add(key)
    return tuple(made)


def _of_the_fork(source: RenderedObject, rendered: Rendered, repositories: Repositories) -> Iterator[DeclaredKopia]:
    claim, spec = _text(source.spec.get("sourcePVC")), mapping(source.spec.get(KOPIA))
    if not claim:
        return
    secret = _text(spec.get("repository"))
    seen, note = repositories.of(source.namespace, secret, "KOPIA_REPOSITORY")
    if seen:
        endpoint, _ = repositories.of(source.namespace, secret, "KOPIA_S3_ENDPOINT")
        seen = place_of(seen, endpoint)
    user = _text(spec.get("username")) or _user_of(source.name)
    host = _text(spec.get("hostname")) or re.sub(r"[^A-Za-z0-9.-]", "", source.namespace.replace("_", "-")).strip("-.")
    path = _text(spec.get("sourcePathOverride")) or _MOVER_PATH
    yield DeclaredKopia(claim, source, secret, seen, f"{user}@{host}:{path}", note, _destination(source, claim, rendered))


def place_of(repository: str, endpoint: str = "") -> str:
    """KOPIA_REPOSITORY in the words of `backups.open_as`: `filesystem:///repository` is `/repository`, and `s3://bucket/path`
    becomes `s3:https://endpoint/bucket/path` where the endpoint is known."""
    if found := re.fullmatch(r"filesystem://(/.*)", repository):
        return found[1].rstrip("/") or "/"
    if (found := re.fullmatch(r"s3://(.+)", repository)) and endpoint:
        server = endpoint if "://" in endpoint else f"https://{endpoint}"
        return f"s3:{server.rstrip('/')}/{found[1].rstrip('/')}"
    return repository


def _user_of(name: str) -> str:
    """As the fork makes it out of the source's name."""
    kept = re.sub(r"[^A-Za-z0-9_-]", "", name).strip("-_")
    return kept[:_LONGEST_USER] or "volsync-default"


def _destination(source: RenderedObject, claim: str, rendered: Rendered) -> str:
    """The destination that fills the claim, as the claim's own dataSourceRef says; "" where nothing does."""
    for one in rendered.of_kind("", "PersistentVolumeClaim"):
        reference = mapping(one.spec.get("dataSourceRef"))
        fills = reference.get("kind") in ("ReplicationDestination", "Restore")
        if fills and (one.namespace, one.name) == (source.namespace, claim):
            return _text(reference.get("name"))
    return ""


def _of_kopiur(policy: RenderedObject, rendered: Rendered) -> Iterator[DeclaredKopia]:
    named = mapping(policy.spec.get("repository"))
    repository = _repository(policy, named, rendered)
    seen, note = _backend(repository) if repository is not None else ("", "Git does not show its repository")
    own = mapping(policy.spec.get("identity"))
    made = mapping(repository.spec.get("identityDefaults")) if repository is not None else {}
    # An expression is evaluated in the cluster: but for one that is a name alone, what it comes to is not guessed.
    known = {"policyName": policy.name, "namespace": policy.namespace, "": None}
    parts = {part: _text(own.get(part)) or known.get(_text(made.get(f"{part}Expr")).strip(), "") for part in _WHO}
    unknown = "" in parts.values()
    who = f"{parts['username'] or policy.name}@{parts['hostname'] or policy.namespace}"
    for source in map(mapping, sequence(policy.spec.get("sources"))):
        claim = _text(mapping(source.get("pvc")).get("name"))
        if claim:
            path = _text(source.get("sourcePathOverride")) or f"/pvc/{claim}"
            identity = "" if unknown or repository is None else f"{who}:{path}"
            told = "an expression of its repository makes its identity in the cluster" if unknown else note
            by = _destination(policy, claim, rendered)
            yield DeclaredKopia(claim, policy, _text(named.get("name")), seen, identity, told, by)


def _repository(policy: RenderedObject, named: Mapping[str, Any], rendered: Rendered) -> RenderedObject | None:
    kind, name = _text(named.get("kind")) or "Repository", _text(named.get("name"))
    namespace = _text(named.get("namespace")) or policy.namespace
    for one in rendered.objects:
        near = kind == "ClusterRepository" or one.namespace == namespace
        if near and KOPIUR in one.group and one.kind == kind and one.name == name:
            return one
    return None


def _backend(repository: RenderedObject) -> tuple[str, str]:
    """Where it lies in the words of `backups.open_as`, or "" and why that cannot be told."""
    backend = mapping(repository.spec.get("backend"))
    files, bucket = mapping(backend.get("filesystem")), mapping(backend.get("s3"))
    if files.get("path"):
        nfs = mapping(mapping(files.get("volume")).get("nfs"))
        return (f"nfs://{nfs['server']}{nfs.get('path', '')}" if nfs.get("server") else _text(files["path"])), ""
    if bucket.get("bucket"):
        plain = mapping(bucket.get("tls")).get("disableTls") is True
        endpoint = f"{'http' if plain else 'https'}://{bucket.get('endpoint') or 's3.amazonaws.com'}"
        return place_of("/".join(filter(None, (f"s3://{bucket['bucket']}", _text(bucket.get("prefix")).strip("/")))), endpoint), ""
    return "", f"{repository.kind} {repository.name} is neither in a folder nor in a bucket"


def _text(value: object) -> str:
    return "" if value is None else str(value)
