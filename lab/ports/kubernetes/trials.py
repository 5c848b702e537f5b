"""The trials port, in process, on the modelled cluster: what a trial makes stands there while it goes on."""

from __future__ import annotations

from adapters.kubernetes.results import StorageClass
from adapters.trials.results import Trial, TrialsLook, Tried
from engine.errors import PermanentError
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.pve.cluster import LabProxmox

WRITE_S = 2.0


class ModelledTrials:
    """Trials port (adapters.trials.port)."""

    def __init__(self, kube: KubeWorld, proxmox: LabProxmox) -> None:
        self._kube, self._proxmox, self._world = kube, proxmox, kube.world

    def look(self) -> TrialsLook:
        """See port.TrialsView."""
        with self._world.looking():
            objects = self._kube.objects()
            left = tuple(f"Job blackstart/trial-of-{name}" for name in sorted(objects.trials_left))
            drivers, classes = frozenset(objects.snapshot_drivers), frozenset(objects.snapshot_classes)
            return TrialsLook(tuple(objects.trials.values()), left, drivers, classes)

    def write(self, storage_class: str, limit_s: float) -> None:
        """See port.Trials."""
        self._try(Tried.WRITE, storage_class, limit_s, WRITE_S)

    def snapshot(self, storage_class: str, limit_s: float) -> None:
        """See port.Trials."""
        with self._world.looking():
            objects, found = self._found(storage_class)
            if found.provisioner not in objects.snapshot_drivers:
                raise PermanentError(f"no VolumeSnapshotClass is for {found.provisioner}")
        self._try(Tried.SNAPSHOT, storage_class, limit_s, 3 * WRITE_S)

    def _try(self, tried: Tried, storage_class: str, limit_s: float, seconds: float) -> None:
        with self._world.looking():
            objects, found = self._found(storage_class)
            objects.trials_left.discard(storage_class)
            objects.trials_left.add(storage_class)
            hangs = storage_class in objects.writes_hang or self._powerless(found)
        self._world.clock.sleep(limit_s if hangs else seconds)
        with self._world.looking():
            objects.trials_left.discard(storage_class)
            if hangs:
                told = f"a write on storage class {storage_class} did not end in {limit_s:.0f} s"
                raise PermanentError(told, evidence=("its claim is Bound",), hint="look at its storage before anything else")
            if tried is Tried.SNAPSHOT and storage_class in objects.snapshots_lie:
                raise PermanentError(f"a snapshot on storage class {storage_class} does not hold what was written")
            objects.trials[tried, storage_class] = Trial(tried, storage_class, self._world.clock.now(), seconds)
            self._world.happened("trials", f"{tried.value} of {storage_class}")

    def _found(self, storage_class: str) -> tuple[Objects, StorageClass]:
        objects = self._kube.objects()
        found = objects.storage_classes.get(storage_class)
        if found is None:
            raise PermanentError(f"there is no storage class {storage_class}")
        return objects, found

    def _powerless(self, found: StorageClass) -> bool:
        """Whether it is of the hosts' Ceph, and that takes no write."""
        ceph = self._proxmox.ceph
        return ceph is not None and ceph.powerless and dict(found.parameters).get("clusterID") == ceph.fsid
