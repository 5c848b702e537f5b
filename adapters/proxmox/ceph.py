"""The Ceph that the Proxmox hosts run, asked through their API. Knows which calls there are and what a host without Ceph says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.ceph.reading import ceph_status, hosted_pools, word
from adapters.ceph.results import CephPool, HostedCeph
from engine.errors import BlackstartError, PermanentError, TransientError

Ask = Callable[..., Any]
"""Method, path, what for in words, parameters (as ProxmoxAdapter sends them)."""

# pve-manager, PVE::Ceph::Tools: what a host says that has no monitor's program, or is in no Ceph. The programs alone make none.
_NONE_HERE = re.compile(r"binary not installed|pveceph configuration not (initialized|enabled)|ceph not fully configured")
_HOSTS_TRIED = 2
"""Of a Ceph that does not answer on one host, another is asked; a call that hangs takes half a minute."""


def hosted_ceph(ask: Ask, online: Sequence[str]) -> HostedCeph | None:
    """The first answer of a host that is in a Ceph; None where none of those `online` is.

    Each host is asked itself: an endpoint that has no Ceph cannot answer for the others. TransientError when those that are in one
    give no answer, PermanentError for no privilege.
    """
    versions = _versions(ask("GET", "/cluster/ceph/metadata", "read the hosts' Ceph versions", {"scope": "versions"}))
    trouble: list[BlackstartError] = []
    for host in sorted(set(online) & set(versions)):
        try:
            status = ask("GET", f"/nodes/{host}/ceph/status", f"read the status of Ceph on host {host}")
        except (TransientError, PermanentError) as error:
            if _NONE_HERE.search(" ".join((error.what, *error.evidence))):
                continue
            if isinstance(error, PermanentError):
                raise
            trouble.append(error)
            if len(trouble) >= _HOSTS_TRIED:
                break
            continue
        read = ceph_status(status)
        # Proxmox makes this list with a question to the manager, which hangs without one.
        pools = _pools(ask, host) if read.manager else None
        return HostedCeph(host, ceph_status(status, pools=pools), tuple(sorted(versions.items())))
    if trouble:
        raise TransientError(
            "the hosts' Ceph gives no answer",
            evidence=tuple(error.what for error in trouble),
            hint="its monitors have no majority, or do not run: see `ceph -s` and `systemctl status ceph-mon.target` on a host",
        )
    return None


def _versions(found: object) -> dict[str, str]:
    """Host → version of Ceph that it has, "" where it has one and does not say which."""
    nodes = found.get("node") if isinstance(found, Mapping) else None
    if not isinstance(nodes, Mapping):
        # Left out where no host has ever told of one.
        return {}
    return {str(host): _version(told) for host, told in nodes.items()}


def _version(told: object) -> str:
    version = told.get("version") if isinstance(told, Mapping) else None
    parts = version.get("parts") if isinstance(version, Mapping) else None
    return ".".join(word(str(part)) for part in parts[:3]) if isinstance(parts, list) else word(version)


def _pools(ask: Ask, host: str) -> tuple[CephPool, ...] | None:
    try:
        return hosted_pools(ask("GET", f"/nodes/{host}/ceph/pool", f"list the pools of Ceph on host {host}"))
    except TransientError:
        return None
