"""What holds data, joined with what backs it up and with what the settings say has no backup on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from house.data.holders import holders
from house.data.makers import Maker, base_makers, claim_makers, going_on
from house.data.nouns import DeclaredData, Holder, Keeps, Paused, Unprotected
from house.flux.rendered import Rendered
from house.model import Database
from house.problems import Problem, dotted, nearest_or_all
from house.yamlfile import Document

SLACK_S = 3600.0
"""What is added to two intervals of a schedule: a backup takes its time."""


def declared_data(
    rendered: Rendered, audited: Iterable[str], databases: Iterable[Database], reasons: Mapping[str, str]
) -> DeclaredData:
    """All data that Git declares. `audited` are keys of claims whose backups are looked at; `reasons` is `backups.unprotected`."""
    found, charts = holders(rendered)
    databases = tuple(databases)
    archived = {database.key for database in databases if database.archives}
    protected = frozenset(audited) | archived | {maker.key for maker in claim_makers(rendered) if maker.engine}
    lacking = {one.key: _lacking(one, protected) for one in found}
    protected |= {key for key, without in lacking.items() if not without}
    bare = tuple(Unprotected(one, reasons.get(one.key, "")) for without in lacking.values() for one in without)
    return DeclaredData(found, protected, bare, charts, tuple(_paused(rendered, databases, reasons)))


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


def _paused(rendered: Rendered, databases: Iterable[Database], reasons: Mapping[str, str]) -> Iterator[Paused]:
    """Claims and databases whose backups are all paused, each with what keeps it so."""
    archiving = {database.key for database in databases if database.archives}
    claims = going_on(maker for maker in claim_makers(rendered) if maker.engine)
    bases = going_on(maker for maker in base_makers(rendered) if maker.key in archiving)
    for key, makers in (*claims.items(), *bases.items()):
        if all(maker.paused for maker in makers):
            by = {f"{one.kind} {one.namespace}/{one.name}": one.declared_in for maker in makers for one in maker.paused}
            yield Paused(key, ", ".join(by), next(iter(by.values())), reasons.get(key, ""))


def schedules(rendered: Rendered) -> dict[str, float]:
    """Key of a claim → the age in seconds that its newest backup may have by its source's schedule: two intervals, and slack.

    Of several sources the one that fires most often counts, and none that is paused beside one that goes on.
    """
    return _ages(claim_makers(rendered))


def base_schedules(rendered: Rendered) -> dict[str, float]:
    """Key of a database → the same of the newest base backup in its archive, by its ScheduledBackup."""
    return _ages(base_makers(rendered))


def _ages(makers: Iterable[Maker]) -> dict[str, float]:
    """What is paused counts only where nothing else is at it."""
    gaps = {key: [one.gap for one in found if one.gap is not None] for key, found in going_on(makers).items()}
    return {key: 2 * min(known) + SLACK_S for key, known in gaps.items() if known}


def unprotected_problems(document: Document, reasons: Mapping[str, str], data: DeclaredData) -> Iterable[Problem]:
    """Names of `backups.unprotected` that fit nothing. A claim that a chart may make, which was not rendered, can't be told."""
    known = [one.holder.key for one in data.unprotected]
    hidden = {chart.partition("/")[0] for chart in data.charts}
    paused = {one.key for one in data.paused}
    for key in reasons:
        where = ("backups", "unprotected", key)
        if key in paused:
            continue
        if key in data.protected:
            yield Problem(document.name, document.line(where), dotted(where), "is backed up", "take the line out")
        elif key not in known and key.partition("/")[0] not in hidden:
            better = nearest_or_all(key, known)
            yield Problem(document.name, document.line(where), dotted(where), "is nothing without a backup", better)
