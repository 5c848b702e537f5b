"""What can be wrong with a Ceph that Rook runs, as its operator writes it down, by name. Knows no house and no API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lab.troubles.seen import WITHIN_S
from lab.world.cluster.rook import LabRook

Strike = Callable[[LabRook, float], None]
"""Lets it begin, at an epoch second."""
_LOOKS_S, _SKEW_S = 3 * 60.0, 60.0
"""By then an operator that looks every minute is late, with what clocks may differ by (cluster/storage/ceph/rook.py)."""
HOUR_S = 3600.0


@dataclass(frozen=True)
class RookTrouble:
    """One named trouble of one that was in order. `cephfs`: its filesystems alone are concerned; `well`: HEALTH_OK stands in the
    object meanwhile. One that only age tells of is red `age_s` after it began."""

    name: str
    what: str
    begin: Strike
    cephfs: bool = False
    well: bool = False
    age_s: float = 0.0
    seen_within_s: float = WITHIN_S


def _says(health: str, *codes: str) -> Strike:
    return lambda one, now: one.says(health, *codes, now=now)


def _changed(**values: object) -> Strike:
    def strike(one: LabRook, now: float) -> None:
        one.cluster = replace(one.cluster, **values)  # type: ignore[arg-type] # by name

    return strike


def _part(kind: str, phase: str) -> Strike:
    def strike(one: LabRook, now: float) -> None:
        parts = tuple(replace(part, phase=phase) if part.kind == kind else part for part in one.cluster.parts)
        one.cluster = replace(one.cluster, parts=parts)

    return strike


def _gone(one: LabRook, now: float) -> None:
    one.stopped_at = now


def _blind(one: LabRook, now: float) -> None:
    one.says("HEALTH_ERR", "error!", now=now)
    one.cluster = replace(one.cluster, fsid="")


def _all() -> Iterator[RookTrouble]:
    yield RookTrouble(
        "rook-operator-gone", "its operator wrote its last word an hour ago", _gone, well=True,
        age_s=HOUR_S, seen_within_s=_LOOKS_S + _SKEW_S + WITHIN_S,
    )  # fmt: skip
    muted = _says("HEALTH_OK", "PG_AVAILABILITY")
    yield RookTrouble("rook-muted", "groups are unavailable, and somebody muted that", muted, well=True)
    yield RookTrouble("rook-blind", "its operator gets no answer of Ceph", _blind)
    yield RookTrouble("rook-full", "an OSD is full", _says("HEALTH_ERR", "OSD_FULL!"))
    yield RookTrouble("rook-unknown-error", "it has an error that nobody knows", _says("HEALTH_ERR", "NEVER_HEARD_OF!"))
    yield RookTrouble("rook-being-deleted", "it is being deleted", _changed(phase="Deleting"), well=True)
    yield RookTrouble("rook-never-reconciled", "its operator never came to it", _changed(phase=""), well=True)
    yield RookTrouble("rook-no-room", "no byte of it is free", _changed(free=0), well=True)
    yield RookTrouble("rook-mds-down", "its metadata servers are down", _says("HEALTH_ERR", "MDS_ALL_DOWN!"), cephfs=True)
    failed = _part("CephFilesystem", "Failure")
    yield RookTrouble("rook-filesystem-failed", "its filesystem could not be made", failed, cephfs=True, well=True)
    yield RookTrouble("rook-pool-failed", "its pool could not be made", _part("CephBlockPool", "Failure"), well=True)


ROOK_TROUBLES = {trouble.name: trouble for trouble in _all()}
