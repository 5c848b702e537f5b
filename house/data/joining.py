"""What holds data, joined with what backs it up and with what the settings say has no backup on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from house.data.archives import is_archived_by
from house.data.cron import greatest_gap
from house.data.holders import holders
from house.data.nouns import DeclaredData, Holder, Keeps, Unprotected
from house.flux.outside import BACKUP_GROUP, is_kopiur_policy
from house.flux.rendered import Rendered
from house.model import Database
from house.problems import Problem, dotted, nearest_or_all
from house.shapes import mapping
from house.yamlfile import Document

SLACK_S = 3600.0
"""What is added to two intervals of a schedule: a backup takes its time."""
_CLAIM_KEYS = ("sourcePVC", "pvcName", "claimName", "persistentVolumeClaimName", "pvc")


def declared_data(
    rendered: Rendered, audited: Iterable[str], databases: Iterable[Database], reasons: Mapping[str, str]
) -> DeclaredData:
    """All data that Git declares. `audited` are keys of claims whose backups are looked at; `reasons` is `backups.unprotected`."""
    found, charts = holders(rendered)
    archived = {database.key for database in databases if database.archives}
    protected = frozenset(audited) | archived | _backed_up(rendered)
    lacking = {one.key: _lacking(one, protected) for one in found}
    protected |= {key for key, without in lacking.items() if not without}
    bare = tuple(Unprotected(one, reasons.get(one.key, "")) for without in lacking.values() for one in without)
    return DeclaredData(found, protected, bare, charts)


def _lacking(one: Holder, protected: frozenset[str]) -> tuple[Holder, ...]:
    """What of it has no backup: nothing, all of it, or of a template that is backed up in part the claims that are not."""
    if one.key in protected:
        return ()
    if one.keeps is not Keeps.TEMPLATE:
        return (one,)
    numbers = range(one.first, one.first + max(one.instances, 1))
    claims = tuple(replace(one, name=f"{one.name}-{number}", instances=1) for number in numbers)
    without = tuple(claim for claim in claims if claim.key not in protected)
    return without if len(without) < len(claims) else (one,)


def _backed_up(rendered: Rendered) -> frozenset[str]:
    """Keys of claims that any engine copies: one that is not audited is told elsewhere, and is not without a backup."""
    keys = set()
    for one in rendered.objects:
        if one.group == BACKUP_GROUP and one.kind == "ReplicationSource":
            keys.add(f"{one.namespace}/{one.spec.get('sourcePVC')}")
        elif is_kopiur_policy(one):
            keys |= {f"{one.namespace}/{name}" for name in _named(one.spec.get("sources"))}
    return frozenset(keys)


def _named(value: Any) -> set[str]:
    """Every claim that an object names, at any depth."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if not isinstance(value, dict):
        return set()
    found = {str(value[key]) for key in _CLAIM_KEYS if isinstance(value.get(key), str)}
    for key, item in value.items():
        found |= {item["name"]} if key == "pvc" and isinstance(item, dict) and isinstance(item.get("name"), str) else _named(item)
    return found


def schedules(rendered: Rendered) -> dict[str, float]:
    """Key of a claim → the age in seconds that its newest backup may have by its source's schedule: two intervals, and slack.

    Of several sources the one that fires most often counts.
    """
    sources = rendered.of_kind(BACKUP_GROUP, "ReplicationSource")
    return _ages(
        (f"{one.namespace}/{one.spec.get('sourcePVC')}", greatest_gap(str(mapping(one.spec.get("trigger")).get("schedule") or "")))
        for one in sources
    )


def base_schedules(rendered: Rendered) -> dict[str, float]:
    """Key of a database → the same of the newest base backup in its archive, by its ScheduledBackup."""
    backups = (one for one in rendered.of_kind("postgresql.cnpg.io", "ScheduledBackup") if is_archived_by(one))
    return _ages(
        (f"{one.namespace}/{mapping(one.spec.get('cluster')).get('name')}",
         greatest_gap(str(one.spec.get("schedule") or ""), seconds=True))
        for one in backups
    )  # fmt: skip


def _ages(gaps: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    ages: dict[str, float] = {}
    for key, gap in gaps:
        if gap is not None:
            ages[key] = min(2 * gap + SLACK_S, ages.get(key, float("inf")))
    return ages


def unprotected_problems(document: Document, reasons: Mapping[str, str], data: DeclaredData) -> Iterable[Problem]:
    """Names of `backups.unprotected` that fit nothing. A claim that a chart may make, which was not rendered, can't be told."""
    known = [one.holder.key for one in data.unprotected]
    hidden = {chart.partition("/")[0] for chart in data.charts}
    for key in reasons:
        where = ("backups", "unprotected", key)
        if key in data.protected:
            yield Problem(document.name, document.line(where), dotted(where), "is backed up", "take the line out")
        elif key not in known and key.partition("/")[0] not in hidden:
            better = nearest_or_all(key, known)
            yield Problem(document.name, document.line(where), dotted(where), "is nothing without a backup", better)


