"""What runs once per cluster as soon as an API server answers: controller-manager, scheduler, storage, the shared watches.

All of them are clients of the cluster's endpoint. Knows no machine: kubelets are made here, but told to it by the cluster.
"""

from __future__ import annotations

from pathlib import Path

from lab.parts.cache import Caches
from lab.parts.csi import Disks, Storage
from lab.parts.kube import Access, Kube
from lab.parts.plane.controllers import ControllerManager
from lab.parts.plane.controlplane import ControlPlane
from lab.parts.plane.pki import ClusterKeys, write_private
from lab.parts.pods.kubelet import Kubelet
from lab.parts.pods.nodes import NodeSpec
from lab.parts.pods.podwork import Host
from lab.parts.pods.scheduler import Scheduler


class Services:
    """One cluster's clients. `start` once, `stop` once; a rebuilt cluster gets new ones."""

    def __init__(
        self,
        host: Host,
        keys: ClusterKeys,
        plane: ControlPlane,
        vip: str,
        folder: Path,
        disks: Disks,
        drivers: frozenset[str],
    ) -> None:
        self._host = host
        self._keys = keys
        self._folder = folder
        self.access = _kept(plane.access(), host.server, folder)
        host.authority = self.access.authority
        self.kube = Kube(self.access)
        self._caches = Caches(self.kube)
        self._manager = ControllerManager(host.supervisor, vip, host.server, keys, folder / "controller-manager")
        self._scheduler = Scheduler(self.kube, self._caches, host.knobs, host.journal)
        self._storage = Storage(self.kube, self._caches, host.knobs, host.journal, disks, drivers)
        self.kubelets: dict[str, Kubelet] = {}

    def start(self) -> None:
        """Start them; returns when the controller-manager is healthy."""
        self._scheduler.start()
        self._storage.start()
        self._manager.start()

    def node_up(self, spec: NodeSpec, left: frozenset[str] = frozenset()) -> None:
        """Start a node's kubelet; `left` are programs that its last one left running."""
        folder = self._folder / "kubelets" / spec.name
        kubelet = Kubelet(spec, self.kube, self._caches, self._host, self._keys.kubernetes, folder, left)
        self.kubelets[spec.name] = kubelet
        kubelet.start()

    def node_down(self, name: str) -> None:
        """End a node's kubelet and everything that runs for its pods, as a power cut does."""
        kubelet = self.kubelets.pop(name, None)
        if kubelet is not None:
            kubelet.stop()
            kubelet.kill_pods()

    def restart_kubelet(self, name: str) -> None:
        """End the simulated kubelet alone and start a new one, which finds its pods running."""
        old = self.kubelets.pop(name)
        old.stop()
        self.node_up(old.spec)

    def stop(self) -> None:
        """End the simulators. Their watches end when the API servers' connections do; `close` waits for that."""
        for kubelet in self.kubelets.values():
            kubelet.stop()
        self._scheduler.stop()
        self._storage.stop()
        self._caches.stop()

    def close(self) -> None:
        """End the controller-manager and the connections; to be called when the pods' processes and the API servers are gone."""
        self._manager.stop()
        self._caches.join(10.0)
        self.kube.close()


def _kept(access: Access, server: str, folder: Path) -> Access:
    """The administrator's access at the cluster's endpoint, in files that outlive the node they came from."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "ca.crt", folder / "admin.crt", folder / "admin.key"
    for source, target in zip((access.authority, access.certificate, access.key), kept, strict=True):
        assert source is not None, "the administrator comes with a certificate"
        write_private(target, source.read_bytes())
    return Access(server, kept[0], kept[1], kept[2])
