"""Looks of one pass, each asked once: a plan of a screen or a verify, never a wait and never an act. A refusal is remembered, too.

Who asks what somebody is asking at this moment waits for that answer: rows that go side by side ask the same things.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from adapters.context import LookContext
from adapters.longhorn.results import WHAT, LonghornLook
from adapters.proxmox.results import HostStatus
from adapters.talos.results import EtcdState, MachineState, Phase
from engine.errors import BlackstartError
from engine.waiting import Clock
from engine.workers import Channel, Threads, Workers, each

REMEMBERED: Mapping[str, frozenset[str]] = MappingProxyType({
    "proxmox": frozenset({
        "cluster", "hosts", "storages", "vms", "images", "left_disks", "running_tasks", "ceph", "backups", "reservation",
    }),
    "talos": frozenset({"phase", "machine", "version", "applied_digest", "etcd"}),
    "cluster": frozenset({
        "api_servers", "served", "nodes", "workloads", "ceph_clusters", "storage_classes", "claims",
    }),
    "releases": frozenset({"releases"}),
    "flux": frozenset({"state"}),
    "hold": frozenset({"record", "policies_missing", "refusals"}),
    "nas": frozenset({"look"}),
    "trials": frozenset({"look"}),
    "csi": frozenset({"look"}),
    "inventory": frozenset({"look"}),
    "components": frozenset({"programs", "objects", "applied", "age_keys"}),
})  # fmt: skip
"""Port → looks that many rows of one pass share, or that are asked ahead. Clocks go on while what they said is remembered."""


def remembering(look: LookContext, workers: Workers | None = None) -> LookContext:
    """The same views, which ask those looks once, all else each time. `workers` are those that look (None: real threads)."""
    workers = workers or Threads()
    ports: dict[str, Any] = {name: _Port(getattr(look, name), methods, workers) for name, methods in REMEMBERED.items()}
    ports["cluster"] = _Cluster(look.cluster, REMEMBERED["cluster"], workers)
    ports["proxmox"] = _Proxmox(look.proxmox, REMEMBERED["proxmox"], workers, look.clock)
    ports["talos"] = _Talos(look.talos, REMEMBERED["talos"], workers, look.clock)
    return replace(look, **ports)


class _Port:
    """One view with a memory."""

    def __init__(self, door: object, methods: Collection[str], workers: Workers) -> None:
        self._door = door
        self._methods = methods
        self._workers = workers
        self._answers: dict[Hashable, tuple[object, BlackstartError | None]] = {}
        self._asking: dict[Hashable, list[Channel[None]]] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name not in self._methods:
            return getattr(self._door, name)
        return lambda *given: self._once((name, *given), lambda: getattr(self._door, name)(*given))

    def _once(self, key: Hashable, ask: Callable[[], object]) -> object:
        while (others := self._turn(key)) is not None:
            others.get()
        if key not in self._answers:
            try:
                self._answers[key] = (ask(), None)
            except BlackstartError as error:
                self._answers[key] = (None, error)
            finally:  # without an answer, which is a stop or a bug, those who waited ask for themselves
                self._over(key)
        answer, refusal = self._answers[key]
        if refusal is not None:
            raise refusal
        return answer

    def _turn(self, key: Hashable) -> Channel[None] | None:
        """None where there is an answer, or where it is ours to ask; else a channel that has something once that was done."""
        with self._lock:
            if key in self._answers or self._begun(key):
                return None
            channel: Channel[None] = self._workers.channel()
            self._asking[key].append(channel)
            return channel

    def _begun(self, key: Hashable) -> bool:
        """Whether it is ours to ask from now on; under the lock."""
        if key in self._answers or key in self._asking:
            return False
        self._asking[key] = []
        return True

    def _over(self, key: Hashable) -> None:
        """It is asked no more: who waited finds the answer, or asks."""
        with self._lock:
            waiting = self._asking.pop(key)
        for one in waiting:
            one.put(None)


class _Timed(_Port):
    """One that remembers also when it was answered."""

    def __init__(self, door: object, methods: Collection[str], workers: Workers, clock: Clock) -> None:
        super().__init__(door, methods, workers)
        self._clock = clock

    def _aged(self, key: Hashable, ask: Callable[[], object]) -> tuple[Any, float]:
        """The answer, and how many seconds ago it came."""
        answer, at = cast("tuple[object, float]", self._once(key, lambda: (ask(), self._clock.monotonic())))
        return answer, self._clock.monotonic() - at


class _Proxmox(_Timed):
    def hosts(self) -> tuple[HostStatus, ...]:
        """See ports.ProxmoxView."""
        found, ago = self._aged("hosts", lambda: cast("Any", self._door).hosts())
        return tuple(replace(host, clock=host.clock + ago) for host in found)


class _Talos(_Timed):
    """One that also remembers of each node by itself what several were asked together."""

    def phases(self, addresses: Sequence[str]) -> tuple[Phase, ...]:
        """See ports.TalosView."""
        return tuple(each(self._workers, self.phase, addresses, at_once=len(addresses)))

    def etcds(self, addresses: Sequence[str]) -> tuple[EtcdState, ...]:
        """See ports.TalosView."""
        with self._lock:
            begun = [address for address in addresses if self._begun(("etcd", address))]
        try:
            with suppress(BlackstartError):  # of one node perhaps: each says so itself
                told = cast("Any", self._door).etcds(begun) if begun else ()
                self._answers |= {("etcd", address): (state, None) for address, state in zip(begun, told, strict=True)}
        finally:
            for address in begun:
                self._over(("etcd", address))
        return tuple(each(self._workers, self.etcd, addresses, at_once=len(addresses)))

    def clock(self, address: str) -> float:
        """See ports.TalosView."""
        told, ago = self._aged(("clock", address), lambda: cast("Any", self._door).clock(address))
        return float(told) + ago

    def machines(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, MachineState]:
        """See ports.TalosView."""
        return self._together("machine", "machines", addresses, through)

    def versions(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together("version", "versions", addresses, through)

    def applied_digests(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, str]:
        """See ports.TalosView."""
        return self._together("applied_digest", "applied_digests", addresses, through)

    def clocks(self, addresses: Sequence[str], through: Sequence[str]) -> Mapping[str, float]:
        """See ports.TalosView."""
        return self._together("clock", "clocks", addresses, through, lambda told: (told, self._clock.monotonic()))

    def _together(
        self, look: str, looks: str, addresses: Sequence[str], through: Sequence[str],
        kept: Callable[[object], object] = lambda told: told,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Ask together who is a configured node of ours and was not asked this yet; whoever comes to ask it meanwhile waits.

        The answer has what was asked now. Whoever waits for a node that is not in it asks that node by itself.
        """
        with self._lock:
            begun = [address for address in addresses if self._begun((look, address))]
        try:
            ours = self._configured({*begun, *through} if begun else set())
            asked, by = ([one for one in some if one in ours] for some in (begun, through))
            told: Mapping[str, Any] = getattr(self._door, looks)(asked, by) if asked and by else {}
            for address, answer in told.items():
                self._answers[(look, address)] = (kept(answer), None)
            return told
        finally:
            for address in begun:
                self._over((look, address))

    def _configured(self, addresses: Collection[str]) -> set[str]:
        """Those of them that are configured nodes of ours, by their certificates."""

        def ours(address: str) -> bool:
            try:
                return self.phase(address) is Phase.SECURE
            except BlackstartError:
                return False

        asked = sorted(addresses)
        return {address for address, yes in zip(asked, each(self._workers, ours, asked, at_once=len(asked)), strict=True) if yes}


class _Cluster(_Port):
    """Of Longhorn everything is asked at once: its rows take one field each."""

    def longhorn(self, what: Collection[str]) -> LonghornLook:
        """See ports.ClusterView."""
        whole = cast("LonghornLook", self._once("longhorn", lambda: cast("Any", self._door).longhorn(WHAT)))
        return whole.of(what)
