"""Backups that a house makes by its own means: a program for backups in a CronJob, a container that does nothing else, schedules in
the values of velero's chart. Recognised by what images are called, so that nobody is told of no backups; never opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from house.data.releases import Releases, is_release
from house.files.shapes import mapping
from house.flux.rendered import NotFollowed, Rendered
from house.model import UnsupportedBackup
from house.repository.programs import images_in

# Programs that copy, and do so when a clock starts them; started by themselves they serve, or mount.
_BY_THE_CLOCK = re.compile(r"restic|rustic|rclone|kopia|borg|borgbackup|duplicity|pg_?dump|mysql_?dump|mongodump", re.IGNORECASE)
# What is for backups alone.
_FOR_BACKUPS = re.compile(
    r"(?!talos-|etcd-)(?:backrest|borgmatic|autorestic|resticker|resticprofile|duplicati|duplicacy[\w-]*|databasus|postgresus"
    r"|[\w.-]+-backup(?:-local|-s3|-manager)?|(?:db|volume|pvc)-?backups?)",
    re.IGNORECASE,
)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def own_backups(rendered: Rendered) -> tuple[tuple[NotFollowed, ...], tuple[UnsupportedBackup, ...]]:
    """What runs a program for backups, of which a person may know better; and the backups that velero's chart is told to make."""
    releases, programs, schedules = Releases(rendered), list[NotFollowed](), list[UnsupportedBackup]()
    for one in rendered.objects:
        if not is_release(one):
            program = backs_up_with(one.kind, one.group, one.spec)
        else:
            values = releases.values(one).values
            program = _of_values(values)
            names = _velero(values) if releases.chart(one) == "velero" else ()
            schedules += [UnsupportedBackup(one.namespace, f"{one.name}-{name}", "velero", one.declared_in) for name in names]
        if program:
            subject = f"{one.kind} {one.namespace}/{one.name}"
            programs.append(NotFollowed(subject, f"runs {program}, which may be a backup", one.file, one.line))
    return tuple(programs), tuple(schedules)


def backs_up_with(kind: str, group: str, spec: Mapping[str, Any]) -> str:
    """The program that an object of Kubernetes backs up with, by its image's name; "" for any other object."""
    if (kind, group) == ("CronJob", "batch"):
        return _named(spec, by_the_clock=True)
    return _named(spec, by_the_clock=False) if group == "apps" and kind in WORKLOADS else ""


def _of_values(values: Mapping[str, Any]) -> str:
    """The same of a HelmRelease's values, as the app-template has them."""
    for controller in map(mapping, mapping(values.get("controllers")).values()):
        clock = controller.get("type") == "cronjob" or "cronjob" in controller
        if found := _named(controller, by_the_clock=clock):
            return found
    return ""


def _velero(values: Mapping[str, Any]) -> Iterator[str]:
    for name, schedule in mapping(values.get("schedules")).items():
        if isinstance(schedule, dict) and schedule.get("disabled") is not True:
            yield str(name)


def _named(node: Mapping[str, Any], *, by_the_clock: bool) -> str:
    for image in images_in(node):
        name = image.rpartition("/")[2]
        if _FOR_BACKUPS.fullmatch(name) or (by_the_clock and _BY_THE_CLOCK.fullmatch(name)):
            return name.lower()
    return ""
