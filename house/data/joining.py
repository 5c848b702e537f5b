"""What holds data, joined with what backs it up and with what the settings say has no backup on purpose."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.text.words import number
from house.data.holders import holders
from house.data.makers import Maker, base_makers, claim_makers, going_on
from house.data.nouns import DeclaredData, Holder, Keeps, Paused, Space, Unprotected
from house.data.operated import backed_up
from house.data.releases import everything
from house.files.problems import Problem, dotted, nearest_or_all
from house.files.yamlfile import Document
from house.flux.rendered import Rendered, RenderedObject
from house.values.databases import Database

SLACK_S = 3600.0
"""What is added to two intervals of a schedule: a backup takes its time."""


def declared_data(
    rendered: Rendered, audited: Iterable[str], databases: Iterable[Database], reasons: Mapping[str, str]
) -> DeclaredData:
    """All data that Git declares. `audited` are keys of claims whose backups are looked at; `reasons` is `backups.unprotected`."""
    found, charts = holders(rendered)
    databases = tuple(databases)
    copied = frozenset(audited) | {maker.key for maker in claim_makers(rendered) if maker.engine}
    protected = frozenset((Space.CLAIM, key) for key in copied)
    protected |= {(Space.DATABASE, database.key) for database in databases if database.archives}
    protected |= {(Space.OPERATED, key) for key in backed_up(everything(rendered).objects, copied)}
    # A template's claim may be declared by itself as well.
    bare: dict[tuple[Space, str, str], Holder] = {}
    whole = set()
    for one in found:
        without = _lacking(one, protected)
        bare.update((claim.identity, claim) for claim in without)
        if not without:
            whole.add((one.space, one.key))
    paused = tuple(_paused(rendered, databases))
    named = Counter([*(one.key for one in bare.values()), *(one.key for one in paused)])

    def reason(key: str, qualified: str) -> str:
        """Where a name is several things, the bare one says nothing of any."""
        return reasons.get(qualified, reasons.get(key, "") if named[key] == 1 else "")

    return DeclaredData(
        found,
        protected | whole,
        tuple(Unprotected(one, reason(one.key, one.qualified), named[one.key] > 1) for one in bare.values()),
        charts,
        tuple(replace(one, reason=reason(one.key, one.qualified), shared=named[one.key] > 1) for one in paused),
    )


def _lacking(one: Holder, protected: frozenset[tuple[Space, str]]) -> tuple[Holder, ...]:
    """What of it has no backup: nothing, all of it, or of a template that is backed up in part the claims that are not."""
    if one.space is not Space.TEMPLATE:
        # No engine copies a mount: what has its name is something else.
        return () if one.space is not Space.MOUNT and (one.space, one.key) in protected else (one,)
    numbers = range(one.first, one.first + max(one.instances, 1))
    claims = [replace(one, name=f"{one.name}-{number}", keeps=Keeps.CLAIM, instances=1, first=0) for number in numbers]
    without = tuple(claim for claim in claims if (Space.CLAIM, claim.key) not in protected)
    return without if len(without) < len(claims) else (one,)


def _paused(rendered: Rendered, databases: Iterable[Database]) -> Iterator[Paused]:
    """Claims and databases whose backups are all paused or never fire, each with what keeps it so."""
    archiving = {database.key for database in databases if database.archives}
    claims = going_on(maker for maker in claim_makers(rendered) if maker.engine)
    bases = going_on(maker for maker in base_makers(rendered) if maker.key in archiving)
    for space, found in ((Space.CLAIM, claims), (Space.DATABASE, bases)):
        for key, makers in found.items():
            if all(maker.paused for maker in makers):
                by = {_by(one, maker): one.declared_in for maker in makers for one in maker.paused}
                words = {maker.word for maker in makers}
                word = words.pop() if len(words) == 1 else "paused"
                yield Paused(key, ", ".join(by), next(iter(by.values())), space=space, word=word)


def _by(one: RenderedObject, maker: Maker) -> str:
    return f"{one.kind} {one.namespace}/{one.name}" + (f" ({maker.fault})" if maker.fault else "")


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
    """Names of `backups.unprotected` that fit nothing, or more than one thing. A claim that a chart may make, which was not
    rendered, can't be told; nor one of a living cluster that has the name of something in Git."""
    bare = [(one.holder.key, one.holder.qualified, one.said_as) for one in data.unprotected]
    bare += [(one.key, one.qualified, one.said_as) for one in data.paused]
    hidden = {chart.partition("/")[0] for chart in data.charts}
    living = {f"{one.key} ({Space.CLAIM.value})" for one in data.holders}
    for key in reasons:
        where = ("backups", "unprotected", key)
        of_it = [qualified for name, qualified, _ in bare if name == key]
        if len(of_it) > 1:
            better = f"write which, as in {' or '.join(map(json.dumps, of_it))}"
            what = f"is {number(len(of_it), 'thing')} without a backup"
            yield Problem(document.name, document.line(where), dotted(where), what, better)
        elif of_it or key in {qualified for _, qualified, _ in bare}:
            continue
        elif any((space, key.partition(" (")[0]) in data.protected for space in Space if _fits(space, key)):
            yield Problem(document.name, document.line(where), dotted(where), "is backed up", "take the line out")
        elif key not in living and key.partition("/")[0] not in hidden:
            better = nearest_or_all(key, [said for _, _, said in bare])
            yield Problem(document.name, document.line(where), dotted(where), "is nothing without a backup", better)


def _fits(space: Space, key: str) -> bool:
    """Whether a name of the settings may be one of this space: it says none, or this."""
    said = key.partition(" (")[2].rstrip(")")
    return not said or said == space.value or (space is Space.TEMPLATE and said == Keeps.TEMPLATE.value)
