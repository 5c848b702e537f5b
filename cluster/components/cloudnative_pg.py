"""CloudNativePG: each cluster healthy and archiving, each scheduled base backup made. Archives themselves are opened elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.reading import epoch
from adapters.components.results import Ask, Seen
from cluster.components.judging import fewer_than_declared, of_condition
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight, fine, moment, yet_to_come
from engine.text.ages import older, to_come
from engine.text.lengths import duration
from house.data.cron import greatest_gap

_GROUP = "postgresql.cnpg.io"
_TO_ARCHIVE = ("spec.backup.barmanObjectStore.destinationPath", "spec.plugins[].isWALArchiver")
CLUSTER = Ask(_GROUP, "clusters", "Cluster",
              ("spec.instances", "status.readyInstances", "status.phase", "status.phaseReason", *_TO_ARCHIVE))  # fmt: skip
SCHEDULE = Ask(_GROUP, "scheduledbackups", "ScheduledBackup",
               ("spec.schedule", "spec.suspend", "spec.cluster.name", "metadata.creationTimestamp"))  # fmt: skip
BACKUP = Ask(_GROUP, "backups", "Backup", ("spec.cluster.name", "status.phase", "status.stoppedAt", "status.error"))
_GRACE_S = 3600.0
_GET = "kubectl get clusters.postgresql.cnpg.io,scheduledbackups,backups.postgresql.cnpg.io -A"


def _clusters(facts: Facts) -> Iterator[Finding]:
    found = facts.of(CLUSTER)
    for one in found:
        yield _instances(one)
        yield from _archiving(one)
    yield from fewer_than_declared(facts, CLUSTER, _GET)


def _archiving(one: Seen) -> Iterator[Finding]:
    """What is wrong with its archive; nothing where it is to have none."""
    part, said = f"Cluster {one.key}", one.condition("ContinuousArchiving")
    hint = "its log stays on its volume and fills it; a recovery ends where the archive ends"
    place, plugins = (one.says(path) for path in _TO_ARCHIVE)
    if said is None:
        if place or "true" in plugins.split():
            yield Finding(part, Weight.UNKNOWN, "has not said whether it archives", hint=hint, command=_GET)
    elif said.good is None:
        told = f"whether it archives is unknown: {said.why or 'no reason given'}"
        yield Finding(part, Weight.UNKNOWN, told, hint=hint, command=_GET)
    elif not said.good:
        yield Finding(part, Weight.BLOCKS, f"archives nothing: {said.why or 'no reason given'}", hint=hint, command=_GET)


def _instances(one: Seen) -> Finding:
    said = of_condition(one, "Ready", "what uses the database fails, or it has no second copy", _GET)
    wanted, ready = one.says("spec.instances") or "1", one.says("status.readyInstances") or "0"
    if said.weight is not Weight.FINE:
        phase = ": ".join(filter(None, (one.says("status.phase"), one.says("status.phaseReason"))))
        told = "; ".join(filter(None, (said.detail, phase)))
        return Finding(said.part, said.weight, told, hint=said.hint, command=said.command)
    if ready != wanted:
        told = f"{ready} of {wanted} instances are ready"
        return Finding(said.part, Weight.BLOCKS, told, hint="it has no second copy", command=_GET)
    return fine(said.part, f"{ready} of {wanted} instances ready")


def _backups(facts: Facts) -> Iterator[Finding]:
    newest: dict[tuple[str, str], float] = {}
    for one in facts.of(BACKUP):
        ended = epoch(one.says("status.stoppedAt"))
        if one.says("status.phase") == "completed" and ended is not None:
            place = (one.namespace, one.says("spec.cluster.name"))
            newest[place] = max(ended, newest.get(place, ended))
    found = facts.of(SCHEDULE)
    for one in found:
        yield _scheduled(one, newest.get((one.namespace, one.says("spec.cluster.name"))), facts.now)
    yield from fewer_than_declared(facts, SCHEDULE, _GET)


def _scheduled(one: Seen, last: float | None, now: float) -> Finding:
    part, schedule = f"ScheduledBackup {one.key}", one.says("spec.schedule")
    gap = greatest_gap(schedule, seconds=True)
    hint = "look at the newest Backup: without a base backup the archive's log restores nothing"
    if one.says("spec.suspend") == "true":
        return Finding(part, Weight.NOTED, "is suspended: no base backup is made", command=_GET)
    if gap is None:
        return Finding(part, Weight.BLOCKS, f"its schedule {schedule or 'is empty and'} never comes", hint=hint, command=_GET)
    since = last if last is not None else epoch(one.says("metadata.creationTimestamp"))
    if since is None:
        return Finding(part, Weight.UNKNOWN, "does not say when it was made", hint=hint, command=_GET)
    if to_come(since, now):
        return yet_to_come(part, "its last base backup" if last is not None else "it", since)
    if older(since, now, 2 * gap + _GRACE_S):
        told = f"last base backup {moment(last)}" if last is not None else f"no base backup since {moment(since)}"
        return Finding(part, Weight.BLOCKS, f"{told}; one is due every {duration(gap)}", hint=hint, command=_GET)
    return fine(part, f"last base backup {moment(last)}") if last is not None else Finding(part, Weight.NOTED, "no base backup yet")


CLOUDNATIVE_PG = Component(
    key="cloudnative-pg",
    title="CloudNativePG",
    images=("cloudnative-pg/cloudnative-pg", "cloudnative-pg"),
    charts=("cloudnative-pg",),
    means="no database is made, mended or recovered; those that run go on without a failover",
    aspects=(
        Aspect("clusters", "its clusters are whole and archive", (CLUSTER,), _clusters, _GET),
        Aspect("backups", "each scheduled base backup was made", (SCHEDULE, BACKUP), _backups, _GET),
    ),
)
