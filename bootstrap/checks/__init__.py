"""One file per check."""

from bootstrap.checks import (
    api_servers,
    charts,
    clocks,
    clone,
    engines,
    etcd_healthy,
    held_claims,
    image,
    kept_disks,
    keys,
    node_clocks,
    node_versions,
    nodes,
    privileges,
    quorum,
    room,
    strangers,
    suspensions,
    versions,
)

__all__ = [
    "api_servers", "charts", "clocks", "clone", "engines", "etcd_healthy", "held_claims",
    "image", "kept_disks", "keys", "node_clocks", "node_versions", "nodes", "privileges", "quorum",
    "room", "strangers", "suspensions", "versions",
]  # fmt: skip
