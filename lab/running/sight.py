"""What the real programs say, looked at from a thread of its own: the World asks under its lock and must not wait for a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

import httpx

from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed
from lab.parts.kube import NODES, ApiRefused
from lab.parts.plane.etcd import Member

_LOOK_S = 0.3
# A look costs its program a quorum: where nothing changes, they are fewer.
_CALM_S = 1.0
_CALMER = 1.3
_FORGET_S = 12.0  # longer than the slowest look


class Sight:
    """The last look at every machine's etcd and at the nodes. A look that is older than some seconds counts as none."""

    def __init__(self, cluster: LabCluster, control_planes: Callable[[], Iterable[str]]) -> None:
        """`control_planes`: names of those that are on now."""
        self._cluster = cluster
        self._control_planes = control_planes
        self._lock = threading.Lock()
        self._etcd: dict[str, tuple[float, bool, tuple[Member, ...]]] = {}
        self._nodes: tuple[float, dict[str, bool]] = (0.0, {})
        self._stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}

    def start(self) -> None:
        """Begin to look."""
        self._again(self._look_at_nodes, "sight of nodes")
        self._again(self._follow, "sight")

    def stop(self) -> None:
        """End; returns when the last looks are over."""
        self._stop.set()
        for thread in list(self._threads.values()):
            thread.join(20.0)

    def etcd_healthy(self, name: str) -> bool:
        """Whether this machine's etcd said that it serves."""
        with self._lock:
            at, healthy, _ = self._etcd.get(name, (0.0, False, ()))
        return healthy and _fresh(at)

    def etcd_members(self, name: str) -> tuple[Member, ...] | None:
        """The members as this machine's etcd listed them; None when it did not answer."""
        with self._lock:
            at, healthy, members = self._etcd.get(name, (0.0, False, ()))
        return members if healthy and _fresh(at) else None

    def node_reason(self, name: str) -> str:
        """Why this machine's node is not ready, "" when it is; as Talos words it."""
        with self._lock:
            at, ready = self._nodes
        if not _fresh(at) or name not in ready:
            return f'node "{name}" status is not available yet'
        return "" if ready[name] else "node is not ready"

    def _again(self, look: Callable[[], bool], name: str) -> None:
        """Look again and again, on a thread of its own: one machine that does not answer keeps nobody else waiting.

        `look` answers whether it saw something new.
        """

        def run() -> None:
            pause_s = _LOOK_S
            while not self._stop.wait(pause_s):
                pause_s = _LOOK_S if look() else min(_CALM_S, pause_s * _CALMER)

        self._threads[name] = threading.Thread(target=run, name=name, daemon=True)
        self._threads[name].start()

    def _follow(self) -> bool:
        fresh = [name for name in self._control_planes() if f"sight of {name}" not in self._threads]
        for name in fresh:
            self._again(partial(self._look_at_etcd, name), f"sight of {name}")
        return bool(fresh)

    def _look_at_etcd(self, name: str) -> bool:
        try:
            etcd = self._cluster.control_plane(name).etcd
            healthy = etcd.running and etcd.healthy()
            members = etcd.members() if healthy else ()
        except PartFailed:
            healthy, members = False, ()
        with self._lock:
            before = self._etcd.get(name, (0.0, False, ()))[1:]
            self._etcd[name] = (time.monotonic(), healthy, members)
        return before != (healthy, members)

    def _look_at_nodes(self) -> bool:
        try:
            nodes = self._cluster.kube.list(NODES)
        except (PartFailed, ApiRefused, httpx.HTTPError):
            return False
        ready = {
            node["metadata"]["name"]: any(
                c["type"] == "Ready" and c["status"] == "True"
                for c in (node.get("status") or {}).get("conditions") or []
            )
            for node in nodes
        }
        with self._lock:
            before = self._nodes[1]
            self._nodes = (time.monotonic(), ready)
        return before != ready


def _fresh(at: float) -> bool:
    return time.monotonic() < at + _FORGET_S
