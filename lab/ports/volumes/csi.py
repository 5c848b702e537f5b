"""The csi port, in process, on the modelled cluster."""

from __future__ import annotations

from adapters.csi.results import CsiLook
from lab.world.cluster.csi import living
from lab.world.cluster.kubernetes import KubeWorld


class ModelledCsi:
    """Csi port (adapters.csi.port)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube

    def look(self) -> CsiLook:
        """See port.CsiView."""
        with self._kube.world.looking():
            return living(self._kube.objects().csi, self._kube.world.clock.now())
