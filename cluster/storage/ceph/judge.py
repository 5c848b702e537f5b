"""What one answer of `ceph status` means for a restore: by health code and by the numbers, never by the status word alone.

HEALTH_OK is said with no OSD up, with every check muted, and for a minute after a metadata server died; HEALTH_WARN while
nothing can be written. One look cannot see what Ceph itself does not know yet: for some seconds after a process was killed, and
for as long as all OSDs lost power at once, its answer is that of a healthy one. A write tells that, and nothing that is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.ceph.results import CephCheck, CephPool, CephStatus, Filesystems, Groups, Monitors, Osds
from cluster.storage.ceph.codes import HINTS, STOPPING_FLAGS, of_filesystems, weight_of
from cluster.storage.ceph.verdict import CephVerdict
from cluster.storage.findings import Finding, Weight, fine
from engine.text.words import number

SEE = "ceph health detail"
_QUIET = frozenset({"active", "clean", "scrubbing", "deep", "snaptrim", "snaptrim_wait"})
_BROKEN = frozenset({
    "stale", "unknown", "down", "incomplete", "inconsistent", "recovery_unfound", "backfill_unfound", "recovery_toofull",
    "backfill_toofull", "failed_repair", "snaptrim_error",
})  # fmt: skip
_POOL = re.compile(r"[Pp]ool '?([\w.-]+)'? (?:is|has)\b")
_FLAGS = re.compile(r"([a-z,-]+) flag\(s\) set")
_NEAR = 0.85
_GIVEN_UP = "start its hosts; what is below waits for them"
_OLD = "it is as old as the manager's last word"


def judge(status: CephStatus, fsid: str = "") -> CephVerdict:
    """The verdict on one answer. `fsid` is the Ceph that was meant, "" where nobody says which."""
    whole = [*_identity(status, fsid), *_monitors(status.monitors), *_manager(manager=status.manager), *_osds(status.osds)]
    whole += _groups(status.groups, old=status.manager is not True)
    filesystems = list(_ranks(status.filesystems))
    pools = [(pool.name, found) for pool in status.pools or () for found in _pool(pool, status.osds)]
    if status.checks is None:
        whole.append(Finding("health", Weight.UNKNOWN, "its checks were not told", status.health, command=SEE))
    for check in status.checks or ():
        found = list(checked(check))
        named = sorted({pool for line in check.detail for pool in _POOL.findall(line)})
        if of_filesystems(check.code):
            filesystems += found
        elif check.code.startswith("POOL_") and named:
            pools += [(pool, one) for pool in named for one in found]
        else:
            whole += found
    if not status.checks and status.checks is not None and status.health != "HEALTH_OK":
        whole.append(unnamed(status.health))
    names = None if status.pools is None else frozenset(pool.name for pool in status.pools)
    return CephVerdict(tuple(whole), tuple(filesystems), tuple(pools), names)


def flags_of(check: CephCheck) -> tuple[str, ...]:
    """Which flags this check says that somebody has set; none for any other check."""
    found = _FLAGS.search(check.message) if check.code == "OSDMAP_FLAGS" else None
    return tuple(filter(None, found[1].split(","))) if found is not None else ()


def checked(check: CephCheck) -> Iterator[Finding]:
    """What one health check comes to. One that is muted is judged as every other: muting hides it, and mends nothing."""
    muted = ", muted by hand" if check.muted else ""
    if flags := flags_of(check):
        for flag in flags:
            weight = Weight.BLOCKS if flag in STOPPING_FLAGS else Weight.NOTED
            yield Finding(
                f"flag {flag}", weight, f"{_flag(flag)}{muted}", check.code,
                hint=f"somebody set it: once that work is done, ceph osd unset {_unset(flag)}",
            )  # fmt: skip
        return
    weight = weight_of(check.code, check.severity)
    told = "; ".join(filter(None, (check.message, *check.detail[:2]))) or "it says no more"
    yield Finding("health", weight, f"{told}{muted}", check.code, hint=HINTS.get(check.code, ""), command=SEE)


def unnamed(health: str) -> Finding:
    """A status word with no check behind it."""
    weight = {"HEALTH_WARN": Weight.NOTED, "HEALTH_ERR": Weight.BLOCKS}.get(health, Weight.UNKNOWN)
    return Finding("health", weight, f"it says {health or 'nothing'}, and not why", command=SEE)


def _flag(flag: str) -> str:
    if flag in STOPPING_FLAGS:
        return "it is set: reads or writes hang"
    return {
        "norecover": "it is set: what has too few copies stays so",
        "nobackfill": "it is set: what has too few copies stays so",
        "nodown": "it is set: an OSD that dies counts as up",
        "noout": "it is set: an OSD that is gone is not replaced",
    }.get(flag, "it is set")


def _unset(flag: str) -> str:
    return "pause" if flag.startswith("pause") else flag


def _identity(status: CephStatus, fsid: str) -> Iterator[Finding]:
    if not status.fsid:
        yield Finding("identity", Weight.UNKNOWN, "it does not say which Ceph it is")
    elif fsid and status.fsid != fsid:
        yield Finding(
            "identity", Weight.BLOCKS, f"this is Ceph {status.fsid}, and {fsid} was meant",
            hint="another Ceph answers there: look which one the storage class names",
        )  # fmt: skip


def _monitors(found: Monitors | None) -> Iterator[Finding]:
    if found is None or not found.known:
        yield Finding("monitors", Weight.UNKNOWN, "it does not tell of them", command=SEE)
    elif found.quorum * 2 <= found.known:
        yield Finding("monitors", Weight.BLOCKS, f"{found.quorum} of {found.known} agree: no majority", hint=HINTS["MON_DOWN"])
    elif found.quorum < found.known:
        yield Finding("monitors", Weight.NOTED, f"{found.quorum} of {found.known} agree", hint=HINTS["MON_DOWN"])
    else:
        yield fine("monitors", f"{found.known} agree")


def _manager(*, manager: bool | None) -> Iterator[Finding]:
    if manager is None:
        yield Finding("manager", Weight.UNKNOWN, "it does not say whether one is there", command=SEE)
    elif not manager:
        yield Finding("manager", Weight.BLOCKS, "none is there: all other numbers are old", hint=HINTS["MGR_DOWN"])


def _osds(found: Osds | None) -> Iterator[Finding]:
    if found is None:
        yield Finding("OSDs", Weight.UNKNOWN, "it does not tell of them", command="ceph osd tree")
    elif not found.known:
        yield Finding("OSDs", Weight.BLOCKS, "there is none", hint="make OSDs: nothing can be written")
    elif not found.up or not found.in_:
        told = f"{found.up} of {found.known} are up, {found.in_} in"
        yield Finding("OSDs", Weight.BLOCKS, told, hint=_GIVEN_UP, command="ceph osd tree")
    elif found.up < found.known or found.in_ < found.known:
        told = f"{found.up} of {found.known} are up, {found.in_} in: the next one that fails may cost data"
        yield Finding("OSDs", Weight.NOTED, told, hint=_GIVEN_UP, command="ceph osd tree")
    else:
        yield fine("OSDs", f"{found.known} up and in")


def _groups(found: Groups | None, *, old: bool) -> Iterator[Finding]:
    if found is None:
        yield Finding("groups", Weight.UNKNOWN, "it does not tell of them", command="ceph pg stat")
        return
    if not found.total:
        told = f"no placement group, and {number(found.pools, 'pool')}: there is nothing to restore into"
        yield Finding("groups", Weight.BLOCKS, told, command="ceph pg stat")
        return
    for state, many in found.by_state:
        yield _state(state, many, old=old)
    left = found.total - sum(many for _, many in found.by_state)
    if left:
        told = f"{abs(left)} {'have no state' if left > 0 else 'more have a state than there are'}"
        yield Finding("groups", Weight.BLOCKS if left > 0 else Weight.UNKNOWN, told, command="ceph pg stat")


def _state(state: str, many: int, *, old: bool) -> Finding:
    words = frozenset(state.split("+"))
    told = f"{many} {state or 'in no state'}"
    if "active" not in words or words & _BROKEN:
        silent = "active" not in words or "stale" in words
        means = "they serve nothing" if silent else "what they hold is not whole, or cannot become so"
        return Finding("groups", Weight.BLOCKS, f"{told}: {means}", hint=HINTS["PG_AVAILABILITY"], command="ceph pg dump_stuck")
    if old:
        return Finding("groups", Weight.UNKNOWN, f"{told}, and {_OLD}", hint=HINTS["MGR_DOWN"])
    if words <= _QUIET:
        return fine("groups", told)
    return Finding("groups", Weight.NOTED, f"{told}: not every copy is where it should be", command="ceph -w")


def _ranks(found: Filesystems | None) -> Iterator[Finding]:
    part = "filesystems"
    if found is None:
        yield Finding(part, Weight.UNKNOWN, "it does not tell of them", command="ceph fs status")
        return
    for rank in found.ranks:
        if rank.status != "up:active":
            told = f"rank {rank.rank} is {rank.status or 'in no state'}"
            yield Finding(part, Weight.BLOCKS, told, hint=HINTS["MDS_ALL_DOWN"], command="ceph fs status")
    if len(found.ranks) < found.in_:
        told = f"{found.in_ - len(found.ranks)} of {number(found.in_, 'rank')} without a server"
        yield Finding(part, Weight.BLOCKS, told, hint=HINTS["MDS_ALL_DOWN"], command="ceph fs status")
    elif found.in_ and all(rank.status == "up:active" for rank in found.ranks):
        yield fine(part, f"{number(found.in_, 'rank')} active")


def _pool(pool: CephPool, osds: Osds | None) -> Iterator[Finding]:
    part = f"pool {pool.name}"
    yield fine(part, f"{number(pool.size, 'copy', 'copies')}, writes want {pool.min_size}")
    if osds is not None and osds.up < pool.min_size:
        told = f"it wants {number(pool.min_size, 'copy', 'copies')}, and {number(osds.up, 'OSD')} is up"
        yield Finding(part, Weight.BLOCKS, told, hint=_GIVEN_UP)
    if pool.size == 1:
        yield Finding(part, Weight.NOTED, HINTS["POOL_NO_REDUNDANCY"], "size 1")
    if pool.quota and pool.stored >= pool.quota:
        yield Finding(part, Weight.BLOCKS, f"{pool.stored:,} bytes of a quota of {pool.quota:,}", hint=HINTS["POOL_FULL"])
    elif pool.quota and pool.stored >= _NEAR * pool.quota:
        told = f"{pool.stored / pool.quota:.0%} of its quota of {pool.quota:,} bytes is used"
        yield Finding(part, Weight.NOTED, told, hint="what is restored must fit into the rest")
    if pool.free == 0:
        yield Finding(part, Weight.BLOCKS, "it has no room left", hint=HINTS["OSD_FULL"])
