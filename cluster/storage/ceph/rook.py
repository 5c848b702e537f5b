"""What Rook's CephCluster means for a restore. It is what an operator wrote down, so its age counts first, and it tells only of
health checks: PG states, OSDs, manager, ranks and quotas are not in it. An answer of `ceph status` is judged by judge.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from adapters.ceph.results import RookCluster, RookPart
from cluster.storage.ceph.codes import HINTS, OPERATOR_BLIND, of_filesystems
from cluster.storage.ceph.judge import checked, unnamed
from cluster.storage.ceph.verdict import CephVerdict
from cluster.storage.findings import Finding, Weight, fine, moment
from engine.text.ages import age_of
from engine.text.lengths import span
from engine.text.words import number

UNSEEN = "placement groups, OSDs, manager, ranks and quotas are not in it: ceph status tells them"
_INTERVALS = 3
_LATE_S = 60.0
_OPERATOR = "look whether the operator runs, and at its log"
_DONE = ("Ready", "Connected")
_PASSING = ("Progressing", "Connecting", "Creating")
_FILESYSTEM = "CephFilesystem"
_POOL = "CephBlockPool"


def judge_rook(cluster: RookCluster, now: float) -> CephVerdict:
    """The verdict on one CephCluster at `now` (epoch seconds)."""
    whole = [*_phase(cluster), *_written(cluster, now), *_versions(cluster)]
    filesystems: list[Finding] = []
    for check in cluster.checks or ():
        # HEALTH_OK beside checks: only what somebody muted is not counted. It may be one of several in every other case.
        muted = cluster.health == "HEALTH_OK"
        for found in checked(replace(check, muted=muted)):
            since = replace(found, since=cluster.last_changed or None, command=_see(cluster))
            (filesystems if of_filesystems(check.code) else whole).append(since)
    if cluster.checks == () and cluster.health != "HEALTH_OK":
        whole.append(unnamed(cluster.health))
    if cluster.free == 0:
        whole.append(Finding("room", Weight.BLOCKS, "no byte is free", hint=HINTS["OSD_FULL"]))
    if cluster.wipes_strangers:
        whole.append(
            Finding(
                "disks", Weight.NOTED, "it erases disks of another Ceph, and after a rebuild the old data are that",
                "cleanupPolicy.wipeDevicesFromOtherClusters", hint="take it out of Git before anything is rebuilt",
            )
        )  # fmt: skip
    pools: list[tuple[str, Finding]] = []
    for part in cluster.parts:
        made = _part(part)
        if part.kind == _POOL:
            pools.append((part.name, made))
        elif part.kind == _FILESYSTEM:
            filesystems.append(made)
        else:
            whole.append(made if made.weight is Weight.FINE else replace(made, weight=Weight.NOTED))
    whole.append(Finding("not seen", Weight.NOTED, UNSEEN, command=_see(cluster)))
    return CephVerdict(tuple(whole), tuple(filesystems), tuple(pools), frozenset(name for name, _ in pools))


def _see(cluster: RookCluster) -> str:
    return f"kubectl -n {cluster.namespace} exec deploy/rook-ceph-tools -- ceph health detail"


def _phase(cluster: RookCluster) -> Iterator[Finding]:
    told = "; ".join(filter(None, (f"its phase is {cluster.phase or 'not told'}", cluster.message)))
    if cluster.phase in _DONE:
        yield fine("cluster", told)
    elif cluster.phase in _PASSING:
        yield Finding("cluster", Weight.NOTED, told, hint=_OPERATOR)
    else:
        yield Finding("cluster", Weight.BLOCKS if cluster.phase else Weight.UNKNOWN, told, hint=_OPERATOR)


def _written(cluster: RookCluster, now: float) -> Iterator[Finding]:
    """Whether what the operator wrote down is young, and of a Ceph that answered it."""
    part, age = "operator", age_of(cluster.last_checked, now)
    if cluster.checks is None or not cluster.last_checked:
        yield Finding(part, Weight.UNKNOWN, "it has not written down what Ceph says", hint=_OPERATOR)
    elif age is None:
        told = f"it looked last at {moment(cluster.last_checked)}, which is later than now"
        yield Finding(part, Weight.UNKNOWN, told, hint="compare the clocks of the nodes and of this machine")
    elif age > _INTERVALS * cluster.interval_s + _LATE_S:
        told = f"it looked last {span(age)} ago, and looks every {span(cluster.interval_s)}: all of this may be otherwise by now"
        yield Finding(part, Weight.UNKNOWN, told, since=cluster.last_checked, hint=_OPERATOR)
    else:
        yield fine(part, f"looked {span(age)} ago")
    if cluster.checks is not None and not cluster.fsid:
        told = "the operator does not know which Ceph it is: it gets no answer"
        yield Finding("identity", Weight.UNKNOWN, told, hint=HINTS[OPERATOR_BLIND])


def _versions(cluster: RookCluster) -> Iterator[Finding]:
    if len(cluster.versions) > 1:
        told = f"{number(len(cluster.versions), 'version')} run side by side: {', '.join(cluster.versions[:3])}"
        yield Finding("versions", Weight.NOTED, told, hint="an upgrade is under way, or has stopped")


def _part(part: RookPart) -> Finding:
    name = f"{part.kind} {part.name}"
    if part.phase in _DONE:
        return fine(name, "made")
    if part.phase in _PASSING:
        return Finding(name, Weight.NOTED, f"its phase is {part.phase}", hint=_OPERATOR)
    weight = Weight.BLOCKS if part.phase else Weight.UNKNOWN
    return Finding(name, weight, f"its phase is {part.phase or 'not told'}", hint=_OPERATOR)
