"""A real Ceph on loopback, of the programs of this machine: one monitor, one manager, three OSDs on files, one metadata server.

Needs no root. Every daemon is a child of the thread that starts it, and the kernel kills it when that ends. Knows no fault and no
verdict. Options are chosen so that seconds pass where a house waits a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.text import jsontext

PROGRAMS = ("ceph", "ceph-mon", "ceph-mgr", "ceph-osd", "ceph-mds", "ceph-authtool", "monmaptool", "rados", "setpriv")
OSDS = ("osd.0", "osd.1", "osd.2")
_MODULES = Path("/usr/share/ceph/mgr")
# What the manager always wants to load. Those that only cost are stubs: one that is absent is an error of the cluster's health.
_LOADED = ("mgr_module.py", "mgr_util.py", "crash", "status", "balancer", "devicehealth")
_STUBS = ("orchestrator", "pg_autoscaler", "progress", "rbd_support", "telemetry", "volumes")
_STUB = """\
from mgr_module import MgrModule


class Module(MgrModule):
    def serve(self):
        pass

    def shutdown(self):
        pass
"""
_SIZE = 1 << 30
_ANSWER_S = 20.0
_CONFIG = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:{port},v1:127.0.0.1:{older}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = {folder}/keyring.$name
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
crash_dir = {folder}/crash
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 3
osd_pool_default_min_size = 2
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
ms_async_op_threads = 1
paxos_propose_interval = 0.1
mgr_stats_period = 1
mgr_tick_period = 1
mgr_initial_modules =
mds_beacon_grace = 6
mds_beacon_interval = 1
[mon]
mon_data = {folder}/mon.$id
mon_cluster_log_file = {folder}/cluster.log
mon_data_avail_warn = 5
mon_data_avail_crit = 1
mon_osd_min_down_reporters = 1
mon_tick_interval = 1
mon_mgr_mkfs_grace = 1
mon_down_mkfs_grace = 1
mon_mgr_beacon_grace = 6
[mgr]
mgr_data = {folder}/mgr.$id
mgr_module_path = {folder}/modules
[osd]
osd_data = {folder}/osd.$id
osd_objectstore = bluestore
osd_heartbeat_interval = 1
osd_heartbeat_grace = 6
osd_mon_report_interval = 1
osd_beacon_report_interval = 5
osd_op_complaint_time = 3
osd_op_num_shards = 1
osd_op_num_threads_per_shard = 1
osd_numa_auto_affinity = false
bluestore_block_size = {size}
bluestore_cache_autotune = false
bluestore_cache_size = 33554432
[client]
log_file =
admin_socket =
[osd.0]
crush_location = root=default host=node-1
[osd.1]
crush_location = root=default host=node-2
[osd.2]
crush_location = root=default host=node-3
"""
_CAPABILITIES = {
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *", "mds", "allow *"),
    "mgr.x": ("mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"),
    "mds.a": ("mon", "allow profile mds", "osd", "allow rwx", "mds", "allow", "mgr", "allow profile mds"),
    **dict.fromkeys(OSDS, ("mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")),
}


def lacks() -> str:
    """Why none can be started here, "" where one can."""
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if missing:
        return f"not on PATH: {', '.join(missing)} (Debian: ceph-mon ceph-mgr ceph-osd ceph-mds ceph-common)"
    return "" if _MODULES.is_dir() else f"{_MODULES} is not there"


class NoCeph(Exception):
    """It gave no answer in time, or a command failed; the last words of the program."""


class RealCeph:
    """One cluster below an empty folder, from `begin` to `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fsid = folder, str(uuid.uuid4())
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {**os.environ, "CEPH_CONF": str(folder / "ceph.conf"), "PYTHONWARNINGS": "ignore"}

    def begin(self) -> None:
        """Keys, a monitor and a manager that answer, and OSDs that are made and known, and have not booted."""
        port = _free()
        words = {"fsid": self.fsid, "port": port, "older": _free(), "folder": self.folder, "size": _SIZE}
        (self.folder / "crash").mkdir(parents=True)
        (self.folder / "ceph.conf").write_text(_CONFIG.format(**words))
        self._keys()
        self._modules()
        monmap = self.folder / "monmap"
        addresses = f"[v2:127.0.0.1:{port},v1:127.0.0.1:{words['older']}]"
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", addresses, "--enable-all-features",
                  "--set-min-mon-release", "pacific", str(monmap))  # fmt: skip
        for name in ("mon.a", "mgr.x", "mds.a", *OSDS):
            (self.folder / name).mkdir()
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", str(self.folder / "keyring.mon."))
        ids = {osd: str(uuid.uuid4()) for osd in OSDS}
        for name in ("mon.a", "mgr.x"):
            self.start(name)
        self.tell(*(f"osd new {one} {osd[4:]}" for osd, one in ids.items()))
        making = [
            self._popen("ceph-osd", "-i", osd[4:], "--mkfs", "--no-mon-config", "--osd-uuid", one) for osd, one in ids.items()
        ]
        if any(one.wait(60) for one in making):
            raise NoCeph("an OSD could not be made")

    def go(self) -> None:
        """Every OSD and the metadata server, a pool `rbd` and a filesystem; waits until all of it is well."""
        for osd in OSDS:
            self.start(osd)
        self.tell("osd pool create rbd 8 8", "osd pool application enable rbd rbd")
        self.start("mds.a")
        self.tell("osd pool create fs_meta 4", "osd pool create fs_data 4", "fs new fs fs_meta fs_data")
        self.until(well, 90.0)

    def start(self, name: str) -> None:
        """A daemon of this name, as `osd.1`."""
        kind, _, number = name.partition(".")
        self._running[name] = self._popen(f"ceph-{kind}", "-f", "-i", number)

    def end(self, *names: str, by: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to daemons, all at once; waits for their ends where it ends them."""
        for name in names:
            self._running[name].send_signal(by)
        for name in names if by in (signal.SIGTERM, signal.SIGKILL) else ():
            self._running[name].wait(30)

    def tell(self, *commands: str) -> None:
        """Commands of `ceph`, one a line. NoCeph when one fails or there is no answer."""
        for command in commands:
            self._run("ceph", "--connect-timeout", "15", *command.split())

    def answers(self, *questions: str, limit_s: float = _ANSWER_S) -> list[Any]:
        """What `ceph` answers, as JSON. NoCeph where it answers nothing: without a manager some questions never end."""
        ask = ("ceph", "--connect-timeout", "5", "-f", "json")
        return [jsontext.read(self._run(*ask, *one.split(), limit_s=limit_s)) for one in questions]

    def write(self, name: str, limit_s: float) -> bool:
        """Whether a small object can be written to `rbd` within so many seconds."""
        try:
            self._run("rados", "-p", "rbd", "put", name, str(self.folder / "ceph.conf"), limit_s=limit_s)
        except NoCeph:
            return False
        return True

    def until(self, holds: Callable[[Any], bool], limit_s: float) -> Any:
        """The first `ceph status` of which it holds; NoCeph with the last one when none came in time."""
        ends, seen = time.monotonic() + limit_s, None
        while time.monotonic() < ends:
            (seen,) = self.answers("status")
            if holds(seen):
                return seen
            time.sleep(0.3)
        raise NoCeph(f"waited {limit_s:g} s in vain: {json.dumps(seen)[:2000]}")

    def close(self) -> None:
        """End everything."""
        for one in self._running.values():
            one.kill()
        for one in self._running.values():
            one.wait(10)

    def _keys(self) -> None:
        ring = str(self.folder / "keyring.mon.")
        self._run("ceph-authtool", "-C", ring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        shutil.copyfile(ring, self.folder / "keyring.mon.a")
        for name, allowed in _CAPABILITIES.items():
            own = str(self.folder / f"keyring.{name}")
            caps = [word for kind, may in zip(allowed[::2], allowed[1::2], strict=True) for word in ("--cap", kind, may)]
            self._run("ceph-authtool", "-C", own, "--gen-key", "-n", name, *caps)
            self._run("ceph-authtool", ring, "--import-keyring", own)

    def _modules(self) -> None:
        folder = self.folder / "modules"
        folder.mkdir()
        for name in _LOADED:
            (folder / name).symlink_to(_MODULES / name)
        for name in _STUBS:
            (folder / name).mkdir()
            (folder / name / "module.py").write_text(_STUB)
            (folder / name / "__init__.py").write_text("from .module import Module\n")

    def _popen(self, *argv: str) -> subprocess.Popen[bytes]:
        quiet, dies = subprocess.DEVNULL, ("setpriv", "--pdeathsig", "KILL")
        with (self.folder / "daemons.out").open("ab") as out:
            return subprocess.Popen([*dies, *argv], stdin=quiet, stdout=out, stderr=out, env=self._environment)

    def _run(self, *argv: str, limit_s: float = 60.0) -> str:
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=limit_s, env=self._environment, check=False)
        except subprocess.TimeoutExpired as error:
            raise NoCeph(f"{_told(argv)}: no end within {limit_s:g} s") from error
        if done.returncode:
            raise NoCeph(f"{_told(argv)}: {done.returncode}: {done.stderr[-300:].strip()}")
        return done.stdout


def well(status: Any) -> bool:
    """Whether all is there and up. HEALTH_OK alone would be said of less."""
    groups, osds = status["pgmap"], status["osdmap"]
    clean = sum(one["count"] for one in groups.get("pgs_by_state", []) if one["state_name"] == "active+clean")
    ranks = [one["status"] for one in status["fsmap"].get("by_rank", [])]
    return bool(
        not set(status["health"]["checks"]) - {"MDS_INSUFFICIENT_STANDBY"}
        and status["mgrmap"]["available"] and clean == groups["num_pgs"] >= 16 and ranks == ["up:active"]
        and osds["num_up_osds"] == osds["num_in_osds"] == osds["num_osds"] == len(OSDS)
    )  # fmt: skip


def _told(argv: Sequence[str]) -> str:
    return " ".join(argv[:8])


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
