"""Objects by which others than VolSync, its forks and CloudNativePG back up: recognised and counted, never opened.

Sources of the fields: the API references of velero, k8up, Longhorn, Kasten K10, Stash and KubeStash, and of the operators of
databases by Crunchy Data (PGO), Percona, mariadb-operator and Zalando.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from house.files.shapes import mapping, sequence

_Spec = Mapping[str, Any]


def _not_paused(spec: _Spec) -> bool:
    return spec.get("paused") is not True


def _scheduled(spec: _Spec) -> bool:
    """mariadb-operator: one without a schedule is made once."""
    return bool(spec.get("schedule")) and not mapping(spec.get("schedule")).get("suspend")


def _of_percona(spec: _Spec) -> bool:
    backup = mapping(spec.get("backup"))
    tasks = map(mapping, (*sequence(backup.get("tasks")), *sequence(backup.get("schedule"))))
    return backup.get("enabled") is not False and any(one.get("enabled") is not False for one in tasks)


_KINDS: dict[tuple[str, str], tuple[str, Callable[[_Spec], bool]]] = {
    ("velero.io", "Schedule"): ("velero", _not_paused),
    # k8up's schedules may only check or prune, and Longhorn's jobs do other things too (snapshots, trims).
    ("k8up.io", "Schedule"): ("k8up", lambda spec: "backup" in spec),
    ("longhorn.io", "RecurringJob"): ("longhorn", lambda spec: str(spec.get("task") or "").startswith("backup")),
    ("config.kio.kasten.io", "Policy"): (
        "kasten", lambda spec: any(mapping(one).get("action") == "backup" for one in sequence(spec.get("actions")))
    ),
    ("stash.appscode.com", "BackupConfiguration"): ("stash", _not_paused),
    ("core.kubestash.com", "BackupConfiguration"): ("kubestash", _not_paused),
    # PGO archives as long as it has a repository, whether anything is scheduled or not.
    ("postgres-operator.crunchydata.com", "PostgresCluster"): (
        "pgbackrest", lambda spec: bool(mapping(mapping(spec.get("backups")).get("pgbackrest")))
    ),
    ("pgv2.percona.com", "PerconaPGCluster"): (
        "pgbackrest", lambda spec: mapping(spec.get("backups")).get("enabled") is not False and bool(spec.get("backups"))
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): ("percona", _of_percona),
    ("pxc.percona.com", "PerconaXtraDBCluster"): ("percona", _of_percona),
    ("ps.percona.com", "PerconaServerMySQL"): ("percona", _of_percona),
    ("k8s.mariadb.com", "Backup"): ("mariadb-operator", _scheduled),
    ("k8s.mariadb.com", "PhysicalBackup"): ("mariadb-operator", _scheduled),
    ("acid.zalan.do", "postgresql"): ("zalando", lambda spec: spec.get("enableLogicalBackup") is True),
}  # fmt: skip
GROUPS = frozenset(group for group, _ in _KINDS)
KINDS = frozenset(kind for _, kind in _KINDS)


def foreign_engine(group: str, kind: str, spec: Mapping[str, Any]) -> str:
    """The engine whose backups an object makes by itself, time and again; "" for any other object, also of such an engine."""
    found = _KINDS.get((group, kind))
    return found[0] if found is not None and found[1](spec) else ""
