"""Looks of one pass, each asked once: a plan of a screen or a verify, never a wait and never an act. A refusal is remembered, too.

Two workers that ask the same thing at the same moment both ask it: nothing waits for anybody here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from adapters.context import LookContext
from adapters.longhorn.results import WHAT, LonghornLook
from engine.errors import BlackstartError

REMEMBERED: Mapping[str, frozenset[str]] = MappingProxyType({
    "proxmox": frozenset({"ceph", "vms", "backups"}),
    "cluster": frozenset({"ceph_clusters", "storage_classes", "claims", "nodes"}),
    "nas": frozenset({"look"}),
    "trials": frozenset({"look"}),
    "csi": frozenset({"look"}),
    "inventory": frozenset({"look"}),
    "components": frozenset({"programs", "objects", "applied", "age_keys"}),
})  # fmt: skip
"""Port → looks at storage and at what runs that many rows of one pass share."""


def remembering(look: LookContext) -> LookContext:
    """The same views, which ask those looks once; everything else they ask each time."""
    ports: dict[str, Any] = {name: _Port(getattr(look, name), methods) for name, methods in REMEMBERED.items()}
    ports["cluster"] = _Cluster(look.cluster, REMEMBERED["cluster"])
    return replace(look, **ports)


class _Port:
    """One view with a memory."""

    def __init__(self, door: object, methods: Collection[str]) -> None:
        self._door = door
        self._methods = methods
        self._answers: dict[Hashable, tuple[object, BlackstartError | None]] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._door, name)
        if name not in self._methods:
            return real
        return lambda *given: self._once((name, *given), lambda: real(*given))

    def _once(self, key: Hashable, ask: Callable[[], object]) -> object:
        if key not in self._answers:
            try:
                self._answers[key] = (ask(), None)
            except BlackstartError as error:
                self._answers[key] = (None, error)
        answer, refusal = self._answers[key]
        if refusal is not None:
            raise refusal
        return answer


class _Cluster(_Port):
    """Of Longhorn everything is asked at once: its rows take one field each."""

    def longhorn(self, what: Collection[str]) -> LonghornLook:
        """See ports.ClusterView."""
        whole = cast("LonghornLook", self._once("longhorn", lambda: cast("Any", self._door).longhorn(WHAT)))
        return whole.of(what)
