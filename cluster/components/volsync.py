"""VolSync: how old each last backup is by its own schedule, and a retention that soon leaves nothing of the past.

What lies in the repositories is looked at elsewhere (`preflight.backup/*`); this is what the cluster says of its own backups.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.reading import epoch
from adapters.components.results import Ask, Seen
from cluster.components.judging import fewer_than_declared
from cluster.components.shape import Aspect, Component, Facts
from cluster.hold.holding import still_held
from cluster.storage.findings import Finding, Weight, fine, moment, yet_to_come
from engine.text.ages import older, to_come
from engine.text.lengths import duration
from house.data.cron import greatest_gap
from house.files.grammar import number_of

_DAY_S = 86400.0
_HISTORIES = ("restic", "kopia")
"""Engines that keep snapshots of the past; the others keep one copy."""
_KEEPS = {"hourly": 3600.0, "daily": _DAY_S, "weekly": 7 * _DAY_S, "monthly": 30 * _DAY_S, "yearly": 365 * _DAY_S}
_RETAINS = (*_KEEPS, "last", "within")
_RETAIN = tuple(f"spec.{engine}.retain.{key}" for engine in _HISTORIES for key in _RETAINS)
_SPEC = ("spec.sourcePVC", "spec.paused", "spec.trigger.schedule", "spec.trigger.manual", "metadata.creationTimestamp")
_STATUS = ("status.lastSyncTime", "status.lastSyncStartTime", "status.latestMoverStatus.result")
SOURCE = Ask(
    "volsync.backube", "replicationsources", "ReplicationSource",
    (*_SPEC, *_STATUS, *(f"spec.{engine}.repository" for engine in _HISTORIES), *_RETAIN), ("v1alpha1",),
)  # fmt: skip
_GRACE_S = 3600.0
_LEAST_S, _ENOUGH_S = _DAY_S, 7 * _DAY_S
_ENDLESS_S = _DAY_S / 2
"""So long may one take where the next begins as soon as it has ended: without any trigger."""
_BY_HAND = "it has no schedule: a backup is written when somebody asks"
_GET = "kubectl get replicationsources -A"


def _backups(facts: Facts) -> Iterator[Finding]:
    held = {(one.namespace, one.claim) for one in still_held(facts.look.hold.record().claims)}
    found = facts.of(SOURCE)
    for one in found:
        if (one.namespace, one.says("spec.sourcePVC")) in held:
            yield Finding(f"ReplicationSource {one.key}", Weight.NOTED, "its claim is held: no backup is written")
        else:
            yield _backup(one, facts.now)
    yield from fewer_than_declared(facts, SOURCE, _GET)


def _backup(one: Seen, now: float) -> Finding:
    part, command = f"ReplicationSource {one.key}", f"kubectl -n {one.namespace} describe replicationsource {one.name}"
    hint = "look at its mover's pod and log; what is not backed up is lost with its volume"
    last, made = epoch(one.says("status.lastSyncTime")), epoch(one.says("metadata.creationTimestamp"))
    schedule, every = one.says("spec.trigger.schedule"), _every(one)
    if schedule and every is None:
        return Finding(part, Weight.BLOCKS, f"its schedule {schedule} never comes", hint=hint, command=command)
    told = f"last backup {moment(last)}" if last is not None else "no backup yet"
    remark, since = _remark(one, every), last if last is not None else made
    if every is not None and since is None:
        return Finding(part, Weight.UNKNOWN, f"does not say when it was made{remark}", hint=hint, command=command)
    if since is not None and to_come(since, now):
        return yet_to_come(part, "its last backup" if last is not None else "it", since)
    if every is not None and since is not None and older(since, now, 2 * every + _GRACE_S):
        late = told if last is not None else f"never a backup, since {moment(since)}"
        due = f"; by {schedule} one is due every {duration(every)}" if schedule else ""
        return Finding(part, Weight.BLOCKS, f"{late}{due}{remark}", hint=hint, command=command)
    if one.says("status.latestMoverStatus.result") == "Failed":
        return Finding(part, Weight.BLOCKS, f"its last run failed{remark}", "Failed", hint=hint, command=command)
    return Finding(part, Weight.NOTED, f"{told}{remark}", command=command) if last is None or remark else fine(part, told)


def _every(one: Seen) -> float | None:
    """Seconds between two backups at most; None where a person begins each, or a schedule never comes."""
    if schedule := one.says("spec.trigger.schedule"):
        return greatest_gap(schedule)
    return None if one.says("spec.trigger.manual") else _ENDLESS_S


def _remark(one: Seen, every: float | None) -> str:
    """What a person must know of the next backup besides. A manual trigger keeps the schedule beside it off."""
    manual, paused = one.says("spec.trigger.manual"), ", and is paused" if one.says("spec.paused") == "true" else ""
    if not one.says("spec.trigger.schedule"):
        told = "it has no trigger: VolSync writes one backup after the other" if every else _BY_HAND
        return f"; {told}{paused}"
    return f"; its schedule is off while trigger.manual stands there{paused}" if manual else paused


def _retention(facts: Facts) -> Iterator[Finding]:
    found = facts.of(SOURCE)
    for one in found:
        engine = next((each for each in _HISTORIES if one.says(f"spec.{each}.repository")), "")
        if engine:
            yield _kept(one, engine)
    if found and not any(one.says(f"spec.{engine}.repository") for one in found for engine in _HISTORIES):
        yield fine(SOURCE.kind, "none of them keeps a history")


def _kept(one: Seen, engine: str) -> Finding:
    part, command = f"ReplicationSource {one.key}", f"kubectl -n {one.namespace} get replicationsource {one.name} -o yaml"
    if not any(one.says(f"spec.{engine}.retain.{key}") for key in _RETAINS):
        if engine == "kopia":
            told = "has no retain: a policy of kopia's own says how far back it reaches"
            return Finding(part, Weight.NOTED, told, command=command)
        told = "has no retain, so VolSync keeps one snapshot: the next bad backup leaves no good one"
        return Finding(part, Weight.BLOCKS, told, hint=f"give it spec.{engine}.retain, such as hourly 24, daily 7", command=command)
    reach = reach_of({key: one.says(f"spec.{engine}.retain.{key}") for key in _RETAINS},
                     greatest_gap(one.says("spec.trigger.schedule")) or _DAY_S)  # fmt: skip
    if reach is None:
        return Finding(part, Weight.NOTED, "how far back its retention reaches cannot be told", command=command)
    if reach < _LEAST_S:
        told = f"keeps {duration(reach)}: what breaks in the evening is all that is left in the morning"
        return Finding(part, Weight.BLOCKS, told, hint=f"give spec.{engine}.retain days or weeks, too", command=command)
    told = f"reaches back {reach / _DAY_S:g} days"
    return fine(part, told) if reach >= _ENOUGH_S else Finding(part, Weight.NOTED, f"{told} only", command=command)


def reach_of(retain: dict[str, str], gap: float) -> float | None:
    """How many seconds back a retention reaches, with a backup every `gap` seconds; None where `within` alone decides it."""
    counts = {key: number_of(retain.get(key, ""), 100_000) or 0 for key in (*_KEEPS, "last")}
    reach = max([counts["last"] * gap, *(counts[key] * max(span, gap) for key, span in _KEEPS.items())])
    return None if retain.get("within") and reach < _ENOUGH_S else reach


VOLSYNC = Component(
    key="volsync",
    title="volsync",
    images=("backube/volsync", "volsync"),
    charts=("volsync",),
    means="no backup is written and none is restored",
    aspects=(
        Aspect("backups", "each claim's last backup is young enough", (SOURCE,), _backups, _GET),
        Aspect("retention", "no retention eats the history", (SOURCE,), _retention, _GET),
    ),
)
