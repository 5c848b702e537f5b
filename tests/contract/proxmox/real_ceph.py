"""The named faults of the hosts' Ceph, played on a real one: how each is begun and ended, and which recording it is the same as.

What is looked at goes through both readings: `ceph`'s own answers, as the recordings are read, and the form that Proxmox gives.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.ceph.reading import ceph_pools, ceph_status
from adapters.ceph.results import CephStatus
from adapters.proxmox.ceph import hosted_ceph
from cluster.storage.ceph.judge import judge
from cluster.storage.findings import Weight, worst
from engine.errors import TransientError
from lab.parts.realceph import OSDS, NoCeph, RealCeph, well

SECOND_S = 40.0
WORDS = {Weight.FINE: "ok", Weight.NOTED: "warn", Weight.BLOCKS: "block", Weight.UNKNOWN: "block"}
Act = Callable[[RealCeph], None]
Holds = Callable[[Any], bool]


@dataclass(frozen=True)
class Played:
    """One named fault. `recording`: the recorded state that it is the same as, "" for none; `verdict` is that one's.

    `shown`: what the status is waited for to show. `ends` mends it; the cluster is waited for to be well again after that.
    `silent`: it answers nothing meanwhile.
    """

    name: str
    recording: str
    verdict: str
    begins: Act
    ends: Act
    shown: Holds = lambda status: True
    silent: bool = False


@dataclass(frozen=True)
class Seen:
    """What one look came to: Ceph's own word, and our verdict by each of both readings ("" where one was not to be had)."""

    says: str
    verdict: str
    hosted: str
    told: tuple[str, ...]


def looked(ceph: RealCeph) -> Seen:
    """One look. A Ceph that answers nothing blocks, by both."""
    try:
        status, detail = ceph.answers("status", "health detail")
    except NoCeph as error:
        return Seen("", "block", _hosted(ceph), (str(error),))
    pools = ceph_pools(*ceph.answers("df", "osd pool ls detail"))
    found = judge(ceph_status(status, detail, pools)).all
    told = tuple(f"{one.weight.value} {one.told}" for one in found if one.weight is not Weight.FINE)
    return Seen(str(status["health"]["status"]), WORDS[worst(found)], _hosted(ceph), told)


def _hosted(ceph: RealCeph) -> str:
    """The verdict by what Proxmox makes of it."""
    def ask(method: str, path: str, what: str, parameters: object = None) -> Any:
        try:
            if path == "/cluster/ceph/metadata":
                return {"node": {"pve-1": {"version": {"parts": ["16", "2", "15"]}}}}
            if path.endswith("/pool"):
                return ceph.answers("osd pool ls detail")[0]
            status, detail, monitors, manager = ceph.answers("status", "health detail", "mon dump", "mgr dump")
        except NoCeph as error:
            raise TransientError("got timeout") from error
        return {**status, "health": detail, "monmap": monitors, "mgrmap": manager}

    try:
        found = hosted_ceph(ask, ["pve-1"])
    except TransientError:
        return "block"
    assert found is not None
    assert isinstance(found.status, CephStatus)
    return WORDS[worst(judge(found.status).all)]


def play(ceph: RealCeph, one: Played) -> Seen:
    """Begin it, look once it shows, mend it, and wait until all is well."""
    one.begins(ceph)
    try:
        if not one.silent:
            ceph.until(one.shown, SECOND_S)
        seen = looked(ceph)
    finally:
        one.ends(ceph)
    ceph.until(well, 90.0)
    return seen


def _codes(*codes: str) -> Holds:
    return lambda status: set(codes) <= set(status["health"]["checks"])


def _stopped(*names: str) -> Act:
    return lambda ceph: ceph.end(*names)


def _killed(*names: str) -> Act:
    return lambda ceph: ceph.end(*names, by=signal.SIGKILL)


def _frozen(name: str) -> Act:
    return lambda ceph: ceph.end(name, by=signal.SIGSTOP)


def _thawed(name: str) -> Act:
    return lambda ceph: ceph.end(name, by=signal.SIGCONT)


def _started(*names: str) -> Act:
    def act(ceph: RealCeph) -> None:
        for name in names:
            ceph.start(name)

    return act


def _told(*commands: str) -> Act:
    return lambda ceph: ceph.tell(*commands)


def _ratios(near: float, backfill: float, full: float) -> Act:
    """Where an OSD counts as nearly full, too full to heal, full; in an order in which none is above the next meanwhile."""
    order = (f"osd set-full-ratio {full}", f"osd set-backfillfull-ratio {backfill}", f"osd set-nearfull-ratio {near}")
    return _told(*(order if near > 0.5 else order[::-1]))


def _muted(ceph: RealCeph) -> None:
    _stopped("osd.1", "osd.2")(ceph)
    ceph.until(_codes("OSD_DOWN", "OSD_HOST_DOWN", "PG_DEGRADED"), SECOND_S)
    ceph.tell(*(f"health mute {code} 1h --sticky" for code in ("OSD_DOWN", "OSD_HOST_DOWN", "PG_DEGRADED", "PG_AVAILABILITY")))


def _unmuted(ceph: RealCeph) -> None:
    ceph.tell(*(f"health unmute {code}" for code in ("OSD_DOWN", "OSD_HOST_DOWN", "PG_DEGRADED", "PG_AVAILABILITY")))
    _started("osd.1", "osd.2")(ceph)


def _stale(ceph: RealCeph) -> None:
    """Nobody takes over what the third one led: that a second of a killed OSD is over before a look comes."""
    ceph.end("osd.0", "osd.1", by=signal.SIGSTOP)
    ceph.end("osd.2")


def _taken_up(ceph: RealCeph) -> None:
    ceph.end("osd.0", "osd.1", by=signal.SIGCONT)
    ceph.start("osd.2")


def _quota(ceph: RealCeph) -> None:
    ceph.write("one", 20)
    ceph.tell("osd pool set-quota rbd max_objects 1")


def _slow(ceph: RealCeph) -> None:
    ceph.tell("osd set nodown")
    _frozen("osd.2")(ceph)
    for number in range(4):
        ceph.write(f"slow{number}", 1.0)


def _quick(ceph: RealCeph) -> None:
    _thawed("osd.2")(ceph)
    ceph.tell("osd unset nodown")


def _power_back(ceph: RealCeph) -> None:
    _started(*OSDS)(ceph)


def _silent(ceph: RealCeph) -> None:
    _frozen("mon.a")(ceph)
    time.sleep(1.0)


def _healthy(word: str) -> Holds:
    return lambda status: status["health"]["status"] == word


PLAYED = (
    Played("ceph-paused", "flag-pause", "block", _told("osd set pause"), _told("osd unset pause"), _codes("OSDMAP_FLAGS")),
    Played("ceph-noout", "flag-noout", "warn", _told("osd set noout"), _told("osd unset noout"), _codes("OSDMAP_FLAGS")),
    Played("ceph-osd-out", "osd-out-1", "warn", _told("osd out 2"), _told("osd in 2"),
           lambda status: status["osdmap"]["num_in_osds"] == 2),
    Played("ceph-osds-down", "osd-down-3-term", "block", _stopped(*OSDS), _started(*OSDS), _codes("OSD_ROOT_DOWN")),
    Played("ceph-muted", "muted-osd-down-2", "block", _muted, _unmuted, _healthy("HEALTH_OK")),
    Played("ceph-manager-dead", "mgr-killed-unavailable", "block", _killed("mgr.x"), _started("mgr.x"),
           lambda status: not status["mgrmap"]["available"]),
    Played("ceph-groups-stale", "osd-killed-1", "block", _stale, _taken_up,
           lambda status: any("stale" in one["state_name"] for one in status["pgmap"]["pgs_by_state"])),
    Played("ceph-mds-hung", "mds-killed", "block", _frozen("mds.a"), _thawed("mds.a"),
           lambda status: any("laggy" in one["status"] for one in status["fsmap"]["by_rank"])),
    Played("ceph-mds-gone", "mds-down", "block", _stopped("mds.a"), _started("mds.a"), _codes("MDS_ALL_DOWN")),
    Played("ceph-backfillfull", "osd-backfillfull", "block", _ratios(0.01, 0.02, 0.95), _ratios(0.85, 0.9, 0.95),
           _codes("OSD_BACKFILLFULL")),
    Played("ceph-full", "osd-full", "block", _ratios(0.01, 0.02, 0.03), _ratios(0.85, 0.9, 0.95), _codes("OSD_FULL")),
    Played("ceph-nearfull", "osd-nearfull", "warn", _ratios(0.01, 0.9, 0.95), _ratios(0.85, 0.9, 0.95), _codes("OSD_NEARFULL")),
    Played("ceph-pool-full", "pool-quota-full", "block", _quota, _told("osd pool set-quota rbd max_objects 0"),
           _codes("POOL_FULL")),
    Played("ceph-slow-ops", "slow-ops", "block", _slow, _quick, _codes("SLOW_OPS")),
    # Of 45 s Ceph itself knows nothing: one look calls it well, and the write that the gate tries does not end.
    Played("ceph-power-cut", "osd-killed-3-stale", "ok", _killed(*OSDS), _power_back),
    Played("ceph-silent", "unreachable", "block", _silent, _thawed("mon.a"), silent=True),
)  # fmt: skip
NOT_PLAYED = {
    "ceph-osds-never-booted": "it is looked at as it starts, before its OSDs do",
    "ceph-groups-unknown": "a second after a manager starts, gone before the next look",
    "ceph-half-an-answer": "no Ceph gives half of one: what stands between does",
    "ceph-inconsistent": "a copy on a disk has to be spoilt by hand: recorded alone",
}
