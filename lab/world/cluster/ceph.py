"""A simulated Ceph: what it is made of, what has happened to it, and what it then says of itself. Knows no protocol.

Its answer follows from its parts as a real one's does, gaps included: groups are counted by the manager, so that without one they
stay as they were. docs/lab.md tells what is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.world.pve.access import Refusal

FSID = "6f1de3a2-0000-4000-8000-00000000ceb4"
_FLAGS = "{} flag(s) set"


@dataclass
class LabOsd:
    """One OSD. One that never `booted` is in no group, and no check complains of it."""

    host: str
    up: bool = True
    in_: bool = True
    booted: bool = True

    def seems_up(self, online: Collection[str]) -> bool:
        """Whether the map has it as up."""
        return self.up and self.host in online


@dataclass
class LabPool:
    """One pool; bytes before replication. `quota` 0: none."""

    name: str
    size: int = 3
    min_size: int = 2
    groups: int = 32
    full: bool = False


@dataclass
class LabCeph:
    """One Ceph. `checks` are health checks that nothing here models: code → severity and message. `ranks` is what each rank's
    server is doing, `free` bytes on all OSDs. `answer` is what it says instead of all of
    this, `silent` that it says nothing, `powerless` that no write ends although the map has every OSD up."""

    monitors: tuple[str, ...]
    osds: list[LabOsd]
    pools: list[LabPool] = field(default_factory=lambda: [LabPool("rbd"), LabPool("cephfs_data")])
    ranks: list[str] = field(default_factory=lambda: ["up:active"])
    fsid: str = FSID
    version: tuple[str, ...] = ("19", "2", "3")
    stopped_monitors: set[str] = field(default_factory=set)
    manager: bool = True
    flags: set[str] = field(default_factory=set)
    checks: dict[str, tuple[str, str]] = field(default_factory=dict)
    muted: bool = False
    group_states: dict[str, int] | None = None
    silent: bool = False
    powerless: bool = False
    free: int = 3 << 40
    answer: Any = None

    @classmethod
    def on(cls, hosts: Collection[str]) -> LabCeph:
        """A healthy one: a monitor on each of the first three hosts, an OSD on every host."""
        return cls(tuple(sorted(hosts)[:3]), [LabOsd(host) for host in sorted(hosts)])

    def status(self, host: str, online: Collection[str]) -> Any:
        """As Proxmox answers on this host while those `online` have power. Refusal where it has no Ceph, or gets no answer."""
        if host not in self.monitors:
            raise Refusal(500, "binary not installed: /usr/bin/ceph-mon")
        quorum = [number for number, name in enumerate(self.monitors) if name in online and name not in self.stopped_monitors]
        if self.silent or len(quorum) * 2 <= len(self.monitors):
            raise Refusal(500, "got timeout")
        if self.answer is not None:
            return self.answer
        checks = self._checks(online, quorum)
        counted = [check["severity"] for check in checks.values() if not check["muted"]]
        return {
            "fsid": self.fsid,
            "health": {"status": max(counted, key=_rank_of, default="HEALTH_OK"), "checks": checks, "mutes": []},
            "quorum": quorum,
            "quorum_names": [self.monitors[number] for number in quorum],
            "monmap": {"mons": [{"name": name, "rank": number} for number, name in enumerate(self.monitors)]},
            "mgrmap": {"available": self.manager, "standbys": []},
            "osdmap": {
                "num_osds": len(self.osds), "num_up_osds": sum(osd.seems_up(online) for osd in self.osds),
                "num_in_osds": sum(osd.in_ for osd in self.osds),
            },
            "pgmap": {
                "bytes_avail": self.free, "bytes_total": 4 << 40,
                "num_pgs": sum(self._groups(online).values()), "num_pools": len(self.pools),
                "pgs_by_state": [{"state_name": state, "count": many} for state, many in self._groups(online).items()],
            },
            "fsmap": {
                "in": len(self.ranks), "up": sum(status.startswith("up:") for status in self.ranks),
                "by_rank": [
                    {"filesystem_id": 1, "rank": rank, "name": f"mds{rank}", "status": status}
                    for rank, status in enumerate(self.ranks) if status
                ],
            },
        }  # fmt: skip

    def pool_rows(self, host: str, online: Collection[str]) -> list[dict[str, Any]]:
        """As Proxmox lists the pools on this host."""
        self.status(host, online)
        return [
            {"pool": number, "pool_name": pool.name, "type": "replicated", "size": pool.size, "min_size": pool.min_size,
             "pg_num": pool.groups, "crush_rule": 0}
            for number, pool in enumerate(self.pools, 1)
        ]  # fmt: skip

    def metadata(self) -> Mapping[str, Any]:
        """What `/cluster/ceph/metadata?scope=versions` answers, on any host."""
        told = {"version": {"str": ".".join(self.version), "parts": list(self.version)}, "buildcommit": "0" * 40}
        return {"node": dict.fromkeys(dict.fromkeys((*self.monitors, *(osd.host for osd in self.osds))), told)}

    def _groups(self, online: Collection[str]) -> dict[str, int]:
        if self.group_states is not None:
            return self.group_states
        if not any(osd.booted for osd in self.osds):
            return {}
        up = sum(osd.seems_up(online) for osd in self.osds)
        states: dict[str, int] = {}
        for pool in self.pools if self.manager else ():
            state = _state_of(up, pool, len(self.osds), sum(osd.in_ for osd in self.osds))
            states[state] = states.get(state, 0) + pool.groups
        return states if self.manager else {"active+clean": sum(pool.groups for pool in self.pools)}

    def _checks(self, online: Collection[str], quorum: list[int]) -> dict[str, dict[str, Any]]:
        found = dict(self.checks)
        down = sum(osd.booted and not osd.seems_up(online) for osd in self.osds)
        if down:
            found["OSD_DOWN"] = ("HEALTH_WARN", f"{down} osds down")
        if len(quorum) < len(self.monitors):
            found["MON_DOWN"] = ("HEALTH_WARN", f"{len(self.monitors) - len(quorum)}/{len(self.monitors)} mons down")
        if self.flags:
            found["OSDMAP_FLAGS"] = ("HEALTH_WARN", _FLAGS.format(",".join(sorted(self.flags))))
        full = [pool.name for pool in self.pools if pool.full]
        if full:
            found["POOL_FULL"] = ("HEALTH_WARN", f"{len(full)} pool(s) full")
        lines = {"POOL_FULL": [{"message": f"pool '{name}' is full (running out of quota)"} for name in full]}
        return {
            code: {"severity": severity, "summary": {"message": message, "count": 1}, "detail": lines.get(code, []),
                   "muted": self.muted}
            for code, (severity, message) in found.items()
        }  # fmt: skip


def _rank_of(severity: str) -> int:
    return ("HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR").index(severity)


def _state_of(up: int, pool: LabPool, known: int, in_: int) -> str:
    if not up:
        return "stale+undersized+peered"
    if up < pool.min_size:
        return "undersized+degraded+peered"
    if up < min(known, pool.size):
        return "active+undersized+degraded"
    return "active+clean+remapped" if in_ < known else "active+clean"
