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
    joined,
    kept_disks,
    keys,
    kinds,
    lost,
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
    "host", "image", "joined", "kept_disks", "keys", "kinds", "lost", "node_clocks", "node_versions", "nodes", "old_holds",
    "privileges", "quorum", "room", "schedules", "strangers", "suspensions", "unconfigured", "versions",
]  # fmt: skip
