"""One file per check."""

from bootstrap.checks.backups import (
    databases,
    destinations,
    engines,
    movers,
    old_holds,
    schedules,
    snapshot_classes,
    suspensions,
)
from bootstrap.checks.etcd import etcd_healthy, joined, lost, moved_past, recoverable, saved, standstill
from bootstrap.checks.power import attached, ceph_flags, hosts_off, storage_up, switch_off
from bootstrap.checks.proxmox import clocks, host, image, kept_disks, machines, privileges, quorum, room
from bootstrap.checks.repository import age_key, charts, clone, definitions, helm_plugins, keys, kinds
from bootstrap.checks.talos import (
    api_servers,
    machineconfigs,
    metal,
    node_clocks,
    node_versions,
    nodes,
    strangers,
    unconfigured,
    versions,
)

__all__ = [
    "age_key", "api_servers", "attached", "ceph_flags", "charts", "clocks", "clone", "databases", "definitions", "destinations",
    "engines", "etcd_healthy", "helm_plugins", "host", "hosts_off", "image", "joined", "kept_disks", "keys", "kinds", "lost",
    "machineconfigs", "machines", "metal", "moved_past", "movers", "node_clocks", "node_versions", "nodes", "old_holds",
    "privileges", "quorum", "recoverable", "room", "saved", "schedules", "snapshot_classes", "standstill", "storage_up",
    "strangers", "suspensions", "switch_off", "unconfigured", "versions",
]  # fmt: skip
