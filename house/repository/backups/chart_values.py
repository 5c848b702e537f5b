"""Files of values that switch a chart's backups on, where Flux does not say what is applied: helmfile's, ArgoCD's, a script's.

Told by the usual words alone (`backups: {enabled: true}`, velero's `schedules`): the chart that they are of is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from house.files.problems import Steps, dotted
from house.files.shapes import mapping, sequence
from house.flux.rendered import NotFollowed
from house.repository.tree import Tree

_SAID = re.compile(r"^[ \t]*(?:[a-z]\w*B|b)ackups?:[ \t]*(?:#.*|\{.*)?$|^[ \t]*(?:schedules|scheduledBackups):", re.MULTILINE)
_BACKUP = re.compile(r"(?:[a-z]\w*B|b)ackups?")
_DEEPEST = 6


def switching_backups_on(tree: Tree) -> tuple[NotFollowed, ...]:
    """Each such file, with the first value of it that does."""
    found = []
    for file in tree.manifests():
        if not _SAID.search(tree.text(file)):
            continue
        for document in tree.documents(file):
            where = next(_switches(document.value, ()), None) if _is_values(document.value) else None
            if where is not None:
                why = f"is a file of values, and switches backups on ({dotted(where)})"
                found.append(NotFollowed(document.name, why, document.name, document.line(where), makes_backups=True))
                break
    return tuple(found)


def _is_values(value: Any) -> bool:
    """An object of Kubernetes is read elsewhere, and what defines a chart or a machine is no values."""
    return isinstance(value, dict) and not {"apiVersion", "kind"} & value.keys()


def _switches(value: Any, path: Steps) -> Iterator[Steps]:
    if not isinstance(value, dict) or len(path) > _DEEPEST:
        return
    for key, item in value.items():
        where = (*path, str(key))
        if (
            (_BACKUP.fullmatch(str(key)) and mapping(item).get("enabled") is True)
            or (key == "scheduledBackups" and sequence(item))
            or (key == "schedules" and any(_of_velero(one) for one in mapping(item).values()))
        ):
            yield where
        elif mapping(item).get("enabled") is not False:
            yield from _switches(item, where)


def _of_velero(schedule: Any) -> bool:
    told = mapping(schedule)
    return "schedule" in told and "template" in told and told.get("disabled") is not True
