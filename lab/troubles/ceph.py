"""What can be wrong with the hosts' Ceph, by name, and what Ceph's own status word is meanwhile. Knows no house and no wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.troubles.seen import WITHIN_S
from lab.world.cluster.ceph import LabCeph

OK, WARN, ERR = "HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR"


@dataclass(frozen=True)
class CephTrouble:
    """One named trouble: `says` is the status word that Ceph has meanwhile, "" where it answers nothing.

    `stops`: no restore may begin onto what it concerns; `cephfs`: that is its filesystems alone.
    """

    name: str
    what: str
    says: str
    begin: Callable[[LabCeph], None]
    stops: bool = True
    cephfs: bool = False
    seen_within_s: float = WITHIN_S


def _osds(*, up: bool, of: int | None = None, booted: bool = True, muted: bool = False) -> Callable[[LabCeph], None]:
    """Of the OSDs the first `of` (all of them where it is None) are so."""

    def act(ceph: LabCeph) -> None:
        for osd in ceph.osds[:of]:
            osd.up, osd.booted = up, booted
        ceph.muted = muted

    return act


def _check(code: str, message: str, severity: str = WARN) -> Callable[[LabCeph], None]:
    def act(ceph: LabCeph) -> None:
        ceph.checks[code] = (severity, message)

    return act


def _flag(flag: str) -> Callable[[LabCeph], None]:
    return lambda ceph: ceph.flags.add(flag)


def _groups(state: str) -> Callable[[LabCeph], None]:
    """A few of the groups are in this state, and Ceph has no check for it (yet)."""

    def act(ceph: LabCeph) -> None:
        ceph.group_states = {"active+clean": 56, state: 8}

    return act


def _inconsistent(ceph: LabCeph) -> None:
    _groups("active+clean+inconsistent")(ceph)
    _check("OSD_SCRUB_ERRORS", "2 scrub errors", ERR)(ceph)
    _check("PG_DAMAGED", "Possible data damage: 8 pgs inconsistent", ERR)(ceph)


def _out(ceph: LabCeph) -> None:
    ceph.osds[0].in_ = False


def _laggy(ceph: LabCeph) -> None:
    ceph.ranks = ["up:active(laggy or crashed)"]


def _no_server(ceph: LabCeph) -> None:
    ceph.ranks = [""]
    _check("MDS_ALL_DOWN", "1 filesystem is offline", ERR)(ceph)


def _half(ceph: LabCeph) -> None:
    ceph.answer = {"fsid": ceph.fsid, "health": {"status": OK, "checks": {}}, "osdmap": "too many"}


def _set(name: str, *, value: object) -> Callable[[LabCeph], None]:
    return lambda ceph: setattr(ceph, name, value)


def _full_pool(ceph: LabCeph) -> None:
    ceph.pools[0].full = True


def _all() -> Iterator[CephTrouble]:
    yield CephTrouble("ceph-osds-down", "all its OSDs are stopped", WARN, _osds(up=False))
    yield CephTrouble("ceph-osds-never-booted", "its OSDs were made and never came up", OK, _osds(up=False, booted=False))
    yield CephTrouble("ceph-muted", "three of its OSDs are down, and every check is muted", OK, _osds(up=False, of=3, muted=True))
    yield CephTrouble("ceph-manager-dead", "its manager has died a moment ago", OK, _set("manager", value=False))
    yield CephTrouble("ceph-groups-stale", "OSDs were killed a second ago", OK, _groups("stale+active+clean"))
    yield CephTrouble("ceph-groups-unknown", "nobody reports some of its groups", OK, _groups("unknown"))
    yield CephTrouble("ceph-half-an-answer", "it answers half of its status", OK, _half)
    yield CephTrouble("ceph-mds-hung", "its metadata server hangs, and there is no other", OK, _laggy, cephfs=True)
    yield CephTrouble("ceph-mds-gone", "its metadata server is stopped", ERR, _no_server, cephfs=True)
    yield CephTrouble("ceph-paused", "somebody paused it", WARN, _flag("pauserd,pausewr"))
    yield CephTrouble("ceph-backfillfull", "an OSD is too full to heal", WARN, _check("OSD_BACKFILLFULL", "1 backfillfull osd(s)"))
    yield CephTrouble("ceph-full", "an OSD is full: writes hang", ERR, _check("OSD_FULL", "1 full osd(s)", ERR))
    yield CephTrouble("ceph-pool-full", "pool rbd has reached its quota", WARN, _full_pool)
    yield CephTrouble("ceph-inconsistent", "copies of some groups differ", ERR, _inconsistent)
    yield CephTrouble("ceph-slow-ops", "a disk takes a minute for each write", WARN, _check("SLOW_OPS", "9 slow ops"))
    yield CephTrouble("ceph-silent", "its monitors answer nothing", "", _set("silent", value=True))
    dark = _set("powerless", value=True)
    yield CephTrouble("ceph-power-cut", "all its OSDs lost power at once: only a write tells", OK, dark, stops=False)
    yield CephTrouble("ceph-osd-out", "an OSD is out", OK, _out, stops=False)
    yield CephTrouble("ceph-noout", "somebody set noout", WARN, _flag("noout"), stops=False)
    yield CephTrouble("ceph-nearfull", "an OSD is nearly full", WARN, _check("OSD_NEARFULL", "1 nearfull osd(s)"), stops=False)


CEPH_TROUBLES = {trouble.name: trouble for trouble in _all()}
