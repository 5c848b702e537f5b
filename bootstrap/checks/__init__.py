"""One file per check."""

from bootstrap.checks import (
    age_key,
    api_servers,
    charts,
    clocks,
    clone,
    databases,
    definitions,
    destinations,
    engines,
    etcd_healthy,
    host,
    image,
    kept_disks,
    keys,
    kinds,
    node_clocks,
    node_versions,
    nodes,
    old_holds,
    privileges,
    quorum,
    room,
    schedules,
    strangers,
    suspensions,
    unconfigured,
    versions,
)

__all__ = [
    "age_key", "api_servers", "charts", "clocks", "clone", "databases", "definitions", "destinations", "engines", "etcd_healthy",
    "host", "image", "kept_disks", "keys", "kinds", "node_clocks", "node_versions", "nodes", "old_holds", "privileges", "quorum",
    "room", "schedules", "strangers", "suspensions", "unconfigured", "versions",
]  # fmt: skip
