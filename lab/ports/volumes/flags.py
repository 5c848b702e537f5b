"""The port of Ceph's flags, in process, on the modelled Rook."""

from __future__ import annotations

from adapters.ceph.results import OsdFlags
from engine.errors import PermanentError, TransientError
from lab.world.cluster.kubernetes import KubeWorld
from lab.world.cluster.rook import LabRook

_NO_WAY = "no pod in rook-ceph could ask Ceph: neither Rook's toolbox nor its operator is ready there"
_NO_ANSWER = "the Ceph of Rook's rook-ceph gives no answer in pod rook-ceph-tools"


class ModelledFlags:
    """Flags port (adapters.ceph.port)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube

    def flags(self) -> tuple[OsdFlags, ...]:
        """See port.FlagsView."""
        with self._kube.world.looking():
            return tuple(_seen(one) for one in self._kube.objects().rook if not one.cluster.external)

    def put(self, namespace: str, name: str, flags: tuple[str, ...]) -> None:
        """See port.Flags."""
        with self._kube.world.looking():
            rook = self._at(namespace, name)
            rook.marked |= set(flags) - rook.flags
            rook.flags |= rook.marked

    def drop(self, namespace: str, name: str) -> None:
        """See port.Flags."""
        with self._kube.world.looking():
            rook = self._at(namespace, name)
            rook.flags -= rook.marked
            rook.marked.clear()

    def _at(self, namespace: str, name: str) -> LabRook:
        there = {(one.cluster.namespace, one.cluster.name): one for one in self._kube.objects().rook}
        rook = there.get((namespace, name))
        if rook is None:
            raise PermanentError(f"There is no CephCluster {namespace}/{name}")
        if not rook.tools:
            raise PermanentError(_NO_WAY)
        if rook.silent:
            raise TransientError(_NO_ANSWER)
        return rook


def _seen(one: LabRook) -> OsdFlags:
    silent = "" if one.tools and not one.silent else _NO_ANSWER if one.tools else _NO_WAY
    there = frozenset() if silent else frozenset(one.flags)
    return OsdFlags(one.cluster.namespace, one.cluster.name, there, frozenset(one.marked), silent)
