"""Objects by which others than VolSync, its forks and CloudNativePG back up: recognised and counted, never opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from house.files.shapes import mapping

_KINDS = {("velero.io", "Schedule"): "velero", ("k8up.io", "Schedule"): "k8up", ("longhorn.io", "RecurringJob"): "longhorn"}
GROUPS = frozenset(group for group, _ in _KINDS)


def foreign_engine(group: str, kind: str, spec: Mapping[str, Any]) -> str:
    """The engine whose backups an object makes by itself, time and again; "" for any other object, also of such an engine.

    Longhorn's jobs do other things too (snapshots, trims), and k8up's schedules may only check or prune.
    """
    engine = _KINDS.get((group, kind), "")
    if engine == "longhorn":
        return engine if str(spec.get("task") or "").startswith("backup") else ""
    if engine == "k8up":
        return engine if mapping(spec.get("backup")) or "backup" in spec else ""
    return engine
