"""Which backups one built object makes, for the independent count: its own text and fields, and no reader of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Row = tuple[str, str, str, str]
"""Engine, namespace, claim (of a database its own name), and the Secret or repository that it goes to, "" where none is named."""
_MOVERS = ("restic", "kopia", "rclone", "rsync", "rsyncTLS", "syncthing")
_KOPIUR = r"[\w.-]*kopiur[\w.-]*"
_GROUPS = rf"volsync\.backube|{_KOPIUR}|postgresql\.cnpg\.io|velero\.io|k8up\.io|longhorn\.io|postgres-operator\.crunchydata\.com"
_CONCERNS = re.compile(rf"^apiVersion: (?:{_GROUPS})/", re.M)
_INSIDE = re.compile(rf"apiVersion[\"']?: *[\"']?(?:volsync\.backube|{_KOPIUR})/", re.M)


def concerns(part: str) -> bool:
    """Whether an object's text is of a group that makes backups."""
    return _CONCERNS.search(part) is not None


def mentions(part: str) -> bool:
    """Whether an object of another kind names a group that makes backups inside: a release's values, a ResourceSet's template."""
    return not concerns(part) and _INSIDE.search(part) is not None


def made_inside(value: Any) -> bool:
    """Whether an object that backs up stands somewhere in a value, as an object or as text; a mere reference has no spec."""
    if isinstance(value, dict):
        whole = str(value.get("apiVersion")).startswith(("volsync.backube/", "kopiur.")) and "spec" in value
        return whole or any(made_inside(item) for item in value.values())
    if isinstance(value, list):
        return any(made_inside(item) for item in value)
    return isinstance(value, str) and bool(_INSIDE.search(value) and re.search(r"^[ -]*spec:", value, re.M))


def rows_of(body: dict[str, Any]) -> Iterator[Row]:
    """What it backs up, and with what."""
    kind, spec, group = str(body.get("kind")), body.get("spec") or {}, str(body.get("apiVersion")).partition("/")[0]
    space, name = str(body["metadata"].get("namespace")), str(body["metadata"].get("name"))
    if group == "volsync.backube" and kind == "ReplicationSource":
        engine = next((each for each in _MOVERS if spec.get(each) is not None), "")
        if engine:
            yield engine, space, str(spec.get("sourcePVC") or name), str(spec[engine].get("repository") or "")
    elif "kopiur" in group and kind == "SnapshotPolicy":
        for source in spec.get("sources") or [{}]:
            yield "kopiur", space, str((source.get("pvc") or {}).get("name") or name), ""
    elif (group, kind) == ("postgresql.cnpg.io", "Cluster"):
        yield "database", space, name, ""
    elif (group, kind) in (("velero.io", "Schedule"), ("k8up.io", "Schedule")):
        if group != "k8up.io" or "backup" in spec:
            yield group.removesuffix(".io"), space, name, ""
    elif (group, kind) == ("postgres-operator.crunchydata.com", "PostgresCluster"):
        if (spec.get("backups") or {}).get("pgbackrest"):
            yield "pgbackrest", space, name, ""
    elif (group, kind) == ("longhorn.io", "RecurringJob") and str(spec.get("task")).startswith("backup"):
        yield "longhorn", space, name, ""
