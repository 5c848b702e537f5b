"""What makes backups of a claim or a database: sources of VolSync, policies of kopiur, ScheduledBackups; and what of it is paused.

Knows no engine beyond its name, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from house.data.archives import is_archived_by
from house.data.cron import fault, greatest_gap
from house.data.definition import taken_by_definition
from house.data.engines import engine_of
from house.data.mover_faults import mover_fault
from house.data.releases import everything
from house.files.shapes import mapping, sequence
from house.flux.fields import refused_field
from house.flux.outside import BACKUP_GROUP, KOPIUR, is_kopiur_policy
from house.flux.rendered import Rendered, RenderedObject

_REFUSED = "is refused by VolSync's CRD (five fields of digits, or @daily and its like), and with it all of its Kustomization"
_CLAIM_KEYS = ("sourcePVC", "pvcName", "claimName", "persistentVolumeClaimName", "pvc")


@dataclass(frozen=True)
class Maker:
    """Something that makes backups of a claim or a database, known as `namespace/name` in `key`.

    `engine` is "" for a source that names none and copies nothing. `paused` are the objects that keep it from it, none where it
    goes on; `fault` says what is wrong with it, as with a schedule by which it never fires, "" for nothing, and it is then among
    these. `word` is what it is in one: "" while it goes on, else "paused", "no schedule" or "refused". `gap` is what lies between
    two of its times at most, in seconds, None where nobody says.
    """

    key: str
    engine: str
    paused: tuple[RenderedObject, ...] = ()
    gap: float | None = None
    fault: str = ""
    word: str = ""


def claim_makers(rendered: Rendered) -> Iterator[Maker]:
    """Whatever copies claims, by any engine, in the order of the graph."""
    rendered = everything(rendered)
    schedules = [one for one in rendered.objects if KOPIUR in one.group and one.kind == "SnapshotSchedule"]
    for one in rendered.objects:
        if one.group == BACKUP_GROUP and one.kind == "ReplicationSource":
            claim = one.spec.get("sourcePVC")
            if claim:
                yield _scheduled(f"{one.namespace}/{claim}", engine_of(one.spec), one)
        elif is_kopiur_policy(one):
            for name in sorted(_named(one.spec.get("sources"))):
                kept = _kept_from(one, schedules)
                yield Maker(f"{one.namespace}/{name}", KOPIUR, kept, word="paused" if kept else "")


def base_makers(rendered: Rendered) -> Iterator[Maker]:
    """Whatever makes base backups of databases into their archives."""
    for one in everything(rendered).of_kind("postgresql.cnpg.io", "ScheduledBackup"):
        if is_archived_by(one):
            yield _scheduled(f"{one.namespace}/{mapping(one.spec.get('cluster')).get('name')}", "barman", one)


def _scheduled(key: str, engine: str, one: RenderedObject) -> Maker:
    wrong, refused, unmade = schedule_fault(one), refused_field(one), mover_fault(one)
    word = "paused" if is_paused(one) else "no schedule" if wrong else "refused" if refused or unmade else ""
    told = wrong or (f"{refused[0]}, which the API server refuses" if refused else unmade)
    return Maker(key, engine, (one,) if word else (), gap_of(one), told, word)


def gap_of(one: RenderedObject) -> float | None:
    """What lies between two of its times at most, in seconds; None where nobody says."""
    schedule, seconds = schedule_of(one)
    return None if schedule_fault(one) else greatest_gap(schedule, seconds=seconds)


def schedule_of(one: RenderedObject) -> tuple[str, bool]:
    """(the schedule that a source or a ScheduledBackup goes by, "" for none; whether it begins with the second)."""
    if one.group != BACKUP_GROUP:
        return str(one.spec.get("schedule") or ""), True
    trigger = mapping(one.spec.get("trigger"))
    return "" if trigger.get("manual") else str(trigger.get("schedule") or ""), False  # VolSync lets the manual one win


def schedule_fault(one: RenderedObject) -> str:
    """What is wrong with the schedule of a source, a destination or a ScheduledBackup, so that it does nothing: `"0 * * *" has 4
    fields, not 5`; "" for nothing, and for any other object."""
    by_volsync = one.group == BACKUP_GROUP and one.kind in ("ReplicationSource", "ReplicationDestination")
    if not by_volsync and not (one.group == "postgresql.cnpg.io" and one.kind == "ScheduledBackup"):
        return ""
    schedule, seconds = schedule_of(one)
    told = fault(schedule, seconds=seconds)
    if not told and by_volsync:
        schedule = str(mapping(one.spec.get("trigger")).get("schedule") or "")
        taken = not schedule or "${" in schedule or taken_by_definition(schedule)
        told = "" if taken else _REFUSED
    return f'"{schedule}" {told}' if told else ""


def going_on(makers: Iterable[Maker]) -> dict[str, list[Maker]]:
    """The makers of each key that go on; all of them where none does."""
    by_key: dict[str, list[Maker]] = {}
    for one in makers:
        by_key.setdefault(one.key, []).append(one)
    return {key: [one for one in found if not one.paused] or found for key, found in by_key.items()}


def is_paused(one: RenderedObject) -> bool:
    """Whether this object says of itself that it makes no backups now; a paused destination restores none."""
    if one.group == BACKUP_GROUP:
        return one.spec.get("paused") is True
    if KOPIUR in one.group and one.kind == "SnapshotSchedule":
        return mapping(one.spec.get("schedule")).get("suspend") is True
    makes = is_kopiur_policy(one) or (one.group == "postgresql.cnpg.io" and one.kind == "ScheduledBackup")
    return makes and one.spec.get("suspend") is True


def _kept_from(policy: RenderedObject, schedules: list[RenderedObject]) -> tuple[RenderedObject, ...]:
    """What keeps a policy of kopiur from making backups: itself, or all schedules that it has."""
    if is_paused(policy):
        return (policy,)
    its = [one for one in schedules if _fires(one, policy)]
    return tuple(its) if all(is_paused(one) for one in its) else ()


def _fires(schedule: RenderedObject, policy: RenderedObject) -> bool:
    named, selector = mapping(schedule.spec.get("policyRef")), mapping(schedule.spec.get("policySelector"))
    if named:
        namespace = str(named.get("namespace") or schedule.namespace)
        return (namespace, str(named.get("name"))) == (policy.namespace, policy.name)
    labels = mapping(mapping(policy.body.get("metadata")).get("labels"))
    wanted = mapping(selector.get("matchLabels"))
    # By expressions it may fire any: so it does, and a policy is called paused only by what is sure.
    asked = bool(wanted) or bool(sequence(selector.get("matchExpressions")))
    return asked and schedule.namespace == policy.namespace and all(labels.get(key) == value for key, value in wanted.items())


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
