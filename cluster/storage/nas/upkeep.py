"""What a NAS does to keep data, and what it complains of: snapshots, replications, alerts, disks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.nas.results import Alert, NasLook, Replication, Snapshots, SnapshotTask, Unheard
from cluster.storage.findings import Finding, Weight, fine, yet_to_come
from engine.text.ages import age_of, lasted, older, to_come
from engine.text.lengths import duration, span
from house.data.cron import greatest_gap
from house.values.nas import Nas

SLACK_S = 3600.0
ENDLESS_S = 2 * 86400.0
"""A replication that has run for longer than this has stopped without saying so, or will not end by itself."""
_GRAVE = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LEVELS = ("INFO", "NOTICE", "WARNING", *_GRAVE)
# The server ranks these as WARNING; they are what comes before a lost pool.
_GRAVE_BY_CLASS = frozenset({"SMARTUncorrectedErrors", "SMARTFailedSelfTest", "SMARTSpareBlockCount", "ZpoolCapacityCritical"})


def snapshot_findings(nas: Nas, look: NasLook, now: float) -> Iterator[Finding]:
    """How old the newest snapshot of each dataset is that the house uses, by its task's schedule or the settings' own limit."""
    if isinstance(look.snapshots, Unheard):
        yield Finding("snapshots", Weight.UNKNOWN, look.snapshots.why, look.snapshots.code)
        return
    if isinstance(look.tasks, Unheard) and nas.snapshot_age < 0:
        yield Finding("snapshots", Weight.UNKNOWN, f"how often they are made is not known: {look.tasks.why}", look.tasks.code)
        return
    for one in look.snapshots:
        known = () if isinstance(look.tasks, Unheard) else look.tasks
        tasks = tuple(task for task in known if task.enabled and task.covers(one.dataset))
        yield _snapshotted(one, tasks, nas.snapshot_age, now)
        for task in tasks:
            if task.state == "ERROR":
                told = f"the task of {task.dataset} failed: {task.error or 'it says not why'}"
                yield Finding(f"snapshots of {one.dataset}", Weight.BLOCKS, told, task.state, task.at)


def _snapshotted(one: Snapshots, tasks: tuple[SnapshotTask, ...], limit: float, now: float) -> Finding:
    part, see = f"snapshots of {one.dataset}", f"zfs list -t snapshot -o name,creation {one.dataset}"
    if limit < 0:
        gaps = [gap for task in tasks if task.schedule and (gap := greatest_gap(task.schedule)) is not None]
        if not gaps:
            told = f"{one.count}, and no task makes them" if one.count else "none, and no task makes any"
            return Finding(part, Weight.NOTED, told, hint="Data Protection > Periodic Snapshot Tasks")
        limit = 2 * min(gaps) + SLACK_S
    if not one.newest:
        weight = Weight.BLOCKS if limit else Weight.NOTED
        return Finding(part, weight, "there is none", hint="look at its snapshot task", command=see)
    if one.made is None:
        return Finding(part, Weight.UNKNOWN, f"nobody says when {one.newest} was made", command=see)
    if (age := age_of(one.made, now)) is None:
        return yet_to_come(part, "the newest", one.made)
    if limit and age > limit:
        told = f"the newest is {duration(age)} old, and {duration(limit)} is the limit"
        return Finding(part, Weight.BLOCKS, told, since=one.made, hint="look at its snapshot task", command=see)
    return fine(part, f"the newest is {span(age)} old")


def replication_findings(nas: Nas, look: NasLook, now: float) -> Iterator[Finding]:
    """Every replication that is switched on."""
    if isinstance(look.replications, Unheard):
        yield Finding("replications", Weight.UNKNOWN, look.replications.why, look.replications.code)
        return
    enabled = [one for one in look.replications if one.enabled is not False]
    if not enabled:
        yield fine("replications", "there is none")
    for one in enabled:
        yield _replicated(one, nas.replication_age, now)


def _replicated(one: Replication, limit: float, now: float) -> Finding:
    part, hint = f"replication {one.name}", "Data Protection > Replication Tasks, its log"
    if one.state == "ERROR":
        return Finding(part, Weight.BLOCKS, f"failed: {one.error or 'it says not why'}", one.state, one.at, hint)
    if one.state in ("RUNNING", "WAITING"):
        if one.began is not None and to_come(one.began, now):
            return yet_to_come(part, "its beginning", one.began)
        if one.began is not None and older(one.began, now, ENDLESS_S):
            told = f"has run for {lasted(one.began, now, '')} and does not end"
            return Finding(part, Weight.BLOCKS, told, one.state, one.began, hint)
        return Finding(part, Weight.NOTED, "runs" if one.state == "RUNNING" else "waits for its turn", one.state, one.began)
    if one.state == "PENDING":
        weight = Weight.BLOCKS if one.automatic and limit else Weight.NOTED
        return Finding(part, weight, "has never run", one.state, hint=hint)
    if one.state == "HOLD":
        return Finding(part, Weight.NOTED, f"is on hold: {one.error or 'it says not why'}", one.state, one.at)
    if one.state != "FINISHED" or one.at is None:
        return Finding(part, Weight.UNKNOWN, f"its state is {one.state or 'not told'}, and when it ran is not known", one.state)
    if (age := age_of(one.at, now)) is None:
        return yet_to_come(part, "it", one.at)
    if limit and age > limit:
        told = f"ran {duration(age)} ago, and {duration(limit)} is the limit"
        return Finding(part, Weight.BLOCKS, told, since=one.at, hint=hint)
    if one.warnings:
        return Finding(part, Weight.NOTED, f"ended with warnings: {one.warnings[0]}", one.state, one.at)
    return fine(part, f"ran {span(age)} ago")


def alert_findings(look: NasLook) -> Iterator[Finding]:
    """What the NAS complains of and nobody has dismissed, but for its disks' health."""
    if isinstance(look.alerts, Unheard):
        yield Finding("alerts", Weight.UNKNOWN, look.alerts.why, look.alerts.code)
        return
    told = [one for one in look.alerts if not one.dismissed and not _of_disks(one)]
    if not told:
        yield fine("alerts", "none that is not dismissed")
    for one in told:
        yield _alert(one)


def _alert(one: Alert) -> Finding:
    grave = one.level in _GRAVE or one.klass in _GRAVE_BY_CLASS
    weight = Weight.BLOCKS if grave else Weight.NOTED if one.level in _LEVELS else Weight.UNKNOWN
    told = f"{one.level or 'without a level'}: {one.text or 'without words'}"
    return Finding(f"alert {one.klass}", weight, told, one.klass, one.since)


def _of_disks(one: Alert) -> bool:
    return one.klass.startswith("SMART")


def disk_findings(look: NasLook) -> Iterator[Finding]:
    """Disks' health: self-tests where the version keeps them (25.04), else the alerts that it raises of them."""
    seen = False
    if look.tests is not None and not isinstance(look.tests, Unheard):
        seen = True
        for one in look.tests:
            if one.status == "FAILED":
                yield Finding(f"disk {one.disk}", Weight.BLOCKS, f"its newest self-test failed: {one.detail}", hint="replace it")
    if not isinstance(look.alerts, Unheard):
        seen = True
        for alert in look.alerts:
            if _of_disks(alert) and not alert.dismissed:
                yield _alert(alert)
    if not seen:
        why = look.alerts.why if isinstance(look.alerts, Unheard) else "nobody tells of them"
        yield Finding("disks", Weight.UNKNOWN, why)
    else:
        yield fine("disks", "nothing else is said of them")
