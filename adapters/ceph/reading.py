"""Answers of a Ceph turned into our values. What is of another shape comes out as not told, never as an error of Python's.

The answer is a program's, of a version that nobody has seen yet: every number is looked at before it is believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from adapters.ceph.results import CephCheck, CephPool, CephStatus, Filesystems, Groups, Monitors, Osds, Rank
from engine.errors import TransientError

T = TypeVar("T")
_MANY = 1000
"""More checks, states, ranks or pools than any house has: whoever sends them is not a Ceph."""
_LONG = 200
_FSID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _Odd(Exception):
    """Something is not of the shape that it has in a Ceph's answer."""


def ceph_status(status: object, detail: object = None, pools: tuple[CephPool, ...] | None = None) -> CephStatus:
    """`ceph status` as decoded JSON; `detail` is `ceph health detail` where that was asked by itself.

    Raises TransientError when it is no answer of a Ceph at all.
    """
    if not isinstance(status, Mapping) or not ({"health", "fsid"} & set(status)):
        raise TransientError(
            "Ceph's answer is of an unknown shape", evidence=(f"a {type(status).__name__}",), hint="a proxy in between?"
        )
    health = detail if isinstance(detail, Mapping) else status.get("health")
    return CephStatus(
        fsid=identity(status.get("fsid")),
        health=word(health.get("status")) if isinstance(health, Mapping) else "",
        checks=_or_none(lambda: _checks(health)),
        monitors=_or_none(lambda: _monitors(status)),
        manager=_or_none(lambda: _flag(_map(status, "mgrmap").get("available"))),
        osds=_or_none(lambda: _osds(_map(status, "osdmap"))),
        groups=_or_none(lambda: _groups(_map(status, "pgmap"))),
        filesystems=_or_none(lambda: _filesystems(_map(status, "fsmap"))),
        pools=pools,
        free=_or_none(lambda: count(_map(status, "pgmap").get("bytes_avail"))),
    )


def ceph_pools(df: object, details: object) -> tuple[CephPool, ...] | None:
    """`ceph df` and `ceph osd pool ls detail` together, None when one of them is not what it should be."""
    return _or_none(lambda: _pools(df, details))


def hosted_pools(found: object) -> tuple[CephPool, ...] | None:
    """Proxmox's list of pools, None when it is not what it should be. It tells of use, and neither of quotas nor of room."""
    return _or_none(lambda: tuple(_hosted_pool(one) for one in _maps(found)))


def word(value: object) -> str:
    """A text of bounded length; "" for what is none."""
    return value[:_LONG] if isinstance(value, str) else ""


def identity(value: object) -> str:
    """A Ceph's own id, a UUID; "" for what is none."""
    return value if isinstance(value, str) and _FSID.fullmatch(value) else ""


def count(value: object) -> int:
    """A number of things or bytes, as a number or as its digits. Raises _Odd for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _Odd


def count_or_none(value: object) -> int | None:
    """As `count`, None for what is not one."""
    return _or_none(lambda: count(value))


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except _Odd:
        return None


def _map(value: object, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise _Odd
    return found


def _maps(value: object) -> Iterable[Mapping[str, Any]]:
    if not isinstance(value, list) or len(value) > _MANY or not all(isinstance(one, Mapping) for one in value):
        raise _Odd
    return value


def _flag(value: object) -> bool:
    """True and false, which Perl may write as 1 and 0."""
    if value not in (True, False, 1, 0):
        raise _Odd
    return bool(value)


def _checks(health: object) -> tuple[CephCheck, ...]:
    found = _map(health, "checks")
    if len(found) > _MANY:
        raise _Odd
    return tuple(_check(str(code)[:_LONG], value) for code, value in sorted(found.items()))


def _check(code: str, value: object) -> CephCheck:
    if not isinstance(value, Mapping):
        raise _Odd
    summary, lines = value.get("summary"), value.get("detail", [])
    message = summary.get("message") if isinstance(summary, Mapping) else summary
    detail = [word(line.get("message")) for line in lines[:_MANY] if isinstance(line, Mapping)] if isinstance(lines, list) else []
    muted = value.get("muted", False)
    return CephCheck(code, word(value.get("severity")), word(message), tuple(detail), muted=_flag(muted))


def _monitors(status: Mapping[str, Any]) -> Monitors:
    monmap, quorum = _map(status, "monmap"), status.get("quorum")
    if not isinstance(quorum, list):
        raise _Odd
    # Proxmox puts the whole map there, which lists the monitors and does not count them.
    mons = monmap.get("mons")
    return Monitors(len(mons) if isinstance(mons, list) else count(monmap.get("num_mons")), len(quorum))


def _osds(osdmap: Mapping[str, Any]) -> Osds:
    # Before Octopus the map stood in a map of its own.
    inner = osdmap.get("osdmap")
    found = inner if isinstance(inner, Mapping) else osdmap
    return Osds(count(found.get("num_osds")), count(found.get("num_up_osds")), count(found.get("num_in_osds")))


def _groups(pgmap: Mapping[str, Any]) -> Groups:
    states = tuple((word(one.get("state_name")), count(one.get("count"))) for one in _maps(pgmap.get("pgs_by_state")))
    return Groups(count(pgmap.get("num_pgs")), count(pgmap.get("num_pools")), states)


def _filesystems(fsmap: Mapping[str, Any]) -> Filesystems:
    ranks = tuple(
        Rank(count(one.get("filesystem_id", 0)), count(one.get("rank")), word(one.get("status")))
        for one in _maps(fsmap.get("by_rank"))
    )
    # Without any filesystem the map has an epoch and no numbers.
    return Filesystems(count(fsmap.get("in", 0)), count(fsmap.get("up", 0)), ranks)


def _pools(df: object, details: object) -> tuple[CephPool, ...]:
    used = {word(one.get("name")): _map(one, "stats") for one in _maps(df.get("pools") if isinstance(df, Mapping) else None)}
    found = []
    for one in _maps(details):
        name = word(one.get("pool_name"))
        stats = used.get(name, {})
        found.append(
            CephPool(
                name, count(one.get("size")), count(one.get("min_size")), count(stats.get("stored", 0)),
                count_or_none(stats.get("max_avail")), count(one.get("quota_max_bytes", 0)),
            )
        )  # fmt: skip
    return tuple(found)


def _hosted_pool(one: Mapping[str, Any]) -> CephPool:
    return CephPool(word(one.get("pool_name")), count(one.get("size")), count(one.get("min_size")))
