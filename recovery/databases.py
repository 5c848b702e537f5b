"""Which databases a restore concerns, and what several of its steps say of one. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.archives.bases import lsn_text
from adapters.archives.results import RecoveryPoint
from adapters.context import LookContext
from adapters.hold.results import HoldRecord, PinnedDatabase
from cluster.recovered import utc
from engine.errors import SettingsInvalid
from engine.text.lengths import apart
from house.model import House
from house.values.databases import RestorableDatabase
from recovery.lifting import CLAIM, DATABASE
from recovery.points.asof import as_time


def split_names(house: House, names: str) -> tuple[str, tuple[RestorableDatabase, ...]]:
    """(the words that name claims, the databases that the others name) of a comma-separated list.

    A database is named as `database:NAMESPACE/NAME`, or without that where no claim is called so. Raises SettingsInvalid, also for
    words that name nothing (`,`, as two empty variables of a script leave it): they are not no words, which mean all.
    """
    claims: list[str] = []
    databases: list[RestorableDatabase] = []
    for word in filter(None, map(str.strip, names.split(","))):
        bare = word.removeprefix(DATABASE).removeprefix(CLAIM)
        found = [] if word.startswith(CLAIM) else [one for one in house.restorable if bare in (one.key, one.database.name)]
        if word.startswith(DATABASE) and len(found) != 1:
            known = tuple(f"{DATABASE}{one.key}" for one in house.restorable)
            what = f"{word} names {'more than one' if found else 'no'} database with an archive"
            better = f"right would be {DATABASE}NAMESPACE/NAME, as in {known[0]}" if known else "Git declares none that archives"
            raise SettingsInvalid(what, evidence=known, hint=better)
        if (found and not any(bare in (claim.key, claim.claim) for claim in house.claims)) or word.startswith(DATABASE):
            databases += found
        else:
            claims.append(bare)
    if names and not (all(claims) and (claims or databases)):
        raise SettingsInvalid(f"`{names}` names nothing; right would be: NAMESPACE/NAME, or no --claims for every one")
    return ",".join(claims), tuple(dict.fromkeys(databases))


def lost_databases(look: LookContext, house: House) -> tuple[RestorableDatabase, ...]:
    """Those that a restore without names makes again: pinned and not proven, or not there and not accepted empty; and in a cluster
    that was made anew those that Flux makes by recovery, and that nobody has looked at yet."""
    record = look.hold.record()
    return tuple(one for one in house.restorable if _is_lost(look, record, one))


def _is_lost(look: LookContext, record: HoldRecord, one: RestorableDatabase) -> bool:
    database = one.database
    if record.database(database.namespace, database.name) is not None:
        return False
    entry, now = pinned(record, one), look.databases.database(database.namespace, database.name)
    if entry is not None and (not entry.proven or waits_for_git(look, one, entry)):
        return True
    if not now.present:
        return True
    proven = entry is not None and entry.uid == now.uid
    return not proven and now.recovers and record.rebuilt


def waits_for_git(look: LookContext, one: RestorableDatabase, entry: PinnedDatabase) -> bool:
    """Whether its Kustomization is suspended by us, because Git's Cluster archives to where it was restored from."""
    kept = next((k for k in look.flux.state().kustomizations if k.key == one.database.flux_app), None)
    return entry.proven > 0 and kept is not None and kept.ours


def archives_elsewhere(one: RestorableDatabase, entry: PinnedDatabase) -> bool:
    """Whether what Git declares by now archives to another place than the database is made again from."""
    return bool(one.writes) and one.writes != entry.place


def pinned(record: HoldRecord, one: RestorableDatabase) -> PinnedDatabase | None:
    """What the record says that it is made again from."""
    return record.pinned_database(one.database.namespace, one.database.name)


def point_words(point: RecoveryPoint) -> tuple[str, ...]:
    """A point, for a person, one line a thing."""
    until = f"up to {utc(point.target)}" if point.target else f"to the end of its log, {utc(point.time)}"
    reach = f"timeline {point.timeline}, behind {lsn_text(point.lsn)} at least (segment {point.segment})"
    return (f"base backup {point.base} {until}", reach, *((point.remark,) if point.remark else ()))


def distances(house: House, record: HoldRecord, one: RestorableDatabase, at: float) -> Iterator[str]:
    """How far in time the restore points of claims that belong to it are from `at`: those of its own Kustomization, and of those
    that depend on it."""
    own = one.database.flux_app
    near = {own, *(app.key for app in house.flux_apps if own in app.depends_on)}
    for claim in house.claims:
        entry = record.claim(claim.namespace, claim.claim)
        if claim.flux_app in near and entry is not None and entry.pin:
            way = apart(at - as_time(entry.pin), "later than", "earlier than", "of the same second as")
            yield f"{way} the restore point of claim {claim.key} ({entry.pin})"
