"""Backups that a house makes by its own means: a program for backups in a CronJob, a container that does nothing else, schedules in
the values of velero's chart. Recognised by what images, commands and jobs are called, so that nobody is told of no backups; never
opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from house.data.releases import Releases, is_release
from house.files.shapes import mapping, sequence
from house.flux.rendered import NotFollowed, Rendered
from house.model import UnsupportedBackup
from house.repository.programs import images_in
from house.values.reach import Reach, of_velero

# Programs that copy, and do so when a clock starts them; started by themselves they serve, or mount.
BY_THE_CLOCK = re.compile(r"restic|rustic|rclone|kopia|borg|borgbackup|duplicity|pg_?dump|mysql_?dump|mongodump", re.IGNORECASE)
# What is for backups alone.
_FOR_BACKUPS = re.compile(
    r"(?!talos-|etcd-)(?:backrest|borgmatic|autorestic|resticker|resticprofile|duplicati|duplicacy[\w-]*|databasus|postgresus"
    r"|[\w.-]+-backup(?:-local|-s3|-manager)?|(?:db|volume|pvc)-?backups?)",
    re.IGNORECASE,
)
# The same as a command, in an image that has it among others.
_TYPED = re.compile(
    r"(?<![\w./-])(?:[\w./-]*/)?(restic|rustic|kopia|rclone|borg|borgmatic|duplicity|pg_dump(?:all)?|pg_basebackup|mysqldump"
    r"|mariadb-dump|mongodump)(?![\w.-])"
)
# What a program for backups does besides backups: unlocking, clearing up, counting. Whoever says only these words copies nothing.
_TENDED = re.compile(r"(?<![\w./-])(?:unlock|prune|forget|check|snapshots|stats|rebuild-index|maintenance)(?![\w./-])")
_COPIES = re.compile(r"backup|copy|sync|snap(?:shot)?\s+create|migrate|upload|dump|rclone|rsync|\.(?:sh|bash|py)\b", re.IGNORECASE)
_TENDING = frozenset({"restic", "rustic", "kopia"})
_CALLED = re.compile(r"(?!.*\b(?:etcd|talos)\b)(?:.*[-_.])?(?:backup|dump)s?(?:[-_.].*)?", re.IGNORECASE)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def own_backups(rendered: Rendered) -> tuple[tuple[NotFollowed, ...], tuple[UnsupportedBackup, ...]]:
    """What runs a program for backups, of which a person may know better; and the backups that velero's chart is told to make."""
    releases, programs, schedules = Releases(rendered), list[NotFollowed](), list[UnsupportedBackup]()
    for one in rendered.objects:
        if not is_release(one):
            program = backs_up_with(one.kind, one.group, one.name, one.spec)
        else:
            values = releases.values(one).values
            program = _of_values(one.name, values)
            told = _velero(values) if releases.chart(one) == "velero" else ()
            schedules += [
                UnsupportedBackup(one.namespace, f"{one.name}-{name}", "velero", one.declared_in, reach) for name, reach in told
            ]
        if program:
            subject = f"{one.kind} {one.namespace}/{one.name}"
            programs.append(NotFollowed(subject, f"runs {program}, which may be a backup", one.file, one.line))
    return tuple(programs), tuple(schedules)


def backs_up_with(kind: str, group: str, name: str, spec: Mapping[str, Any]) -> str:
    """The program that an object of Kubernetes backs up with, by its image's name, of a CronJob (or one that a policy of Kyverno's
    makes) by its commands or its own name too; "" for any other object."""
    if (kind, group) == ("CronJob", "batch"):
        return _by_the_clock(spec, name)
    if group == "kyverno.io":
        return next(filter(None, (_by_the_clock(mapping(one.get("data")), str(one.get("name"))) for one in _generated(spec))), "")
    return _named(spec, by_the_clock=False) if group == "apps" and kind in WORKLOADS else ""


def _generated(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The CronJobs that a policy of Kyverno's makes, for each claim that it selects, say."""
    made = (mapping(mapping(rule).get("generate")) for rule in sequence(spec.get("rules")))
    return (one for one in made if one.get("kind") == "CronJob")


def _by_the_clock(node: Mapping[str, Any], *names: str) -> str:
    """The program of a job; where none is seen and one of its names says that it is a backup, that."""
    typed = next((found[1] for text in _commands(node) if (found := _TYPED.search(text))), "")
    called = next((f"a job called {name}" for name in names if _CALLED.fullmatch(name)), "")
    program = _named(node, by_the_clock=True) or typed
    return called if program in _TENDING and _only_tends(node) else program or called


def _only_tends(node: Mapping[str, Any]) -> bool:
    """Whether the commands of a job say what else such a program is for, and no word of copying, nor of a script, which
    may do anything; one without any says nothing."""
    texts = tuple(_commands(node))
    return any(map(_TENDED.search, texts)) and not any(map(_COPIES.search, texts))


def _commands(node: Any, *, of: bool = False) -> Iterator[str]:
    """Every text of a `command` or of `args`, at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _commands(value, of=of or key in ("command", "args"))
    elif isinstance(node, list):
        for item in node:
            yield from _commands(item, of=of)
    elif of and isinstance(node, str):
        yield node


def _of_values(release: str, values: Mapping[str, Any]) -> str:
    """The same of a HelmRelease's values, as the app-template has them."""
    for name, controller in mapping(values.get("controllers")).items():
        controller = mapping(controller)
        clock = controller.get("type") == "cronjob" or "cronjob" in controller
        found = _by_the_clock(controller, release, str(name)) if clock else _named(controller, by_the_clock=False)
        if found:
            return found
    return ""


def _velero(values: Mapping[str, Any]) -> Iterator[tuple[str, Reach]]:
    for name, schedule in mapping(values.get("schedules")).items():
        if isinstance(schedule, dict) and schedule.get("disabled") is not True:
            yield str(name), of_velero(mapping(schedule.get("template")))


def _named(node: Mapping[str, Any], *, by_the_clock: bool) -> str:
    for image in images_in(node):
        name = image.rpartition("/")[2]
        if _FOR_BACKUPS.fullmatch(name) or (by_the_clock and BY_THE_CLOCK.fullmatch(name)):
            return name.lower()
    return ""
