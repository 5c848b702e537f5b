"""The simulated storage: claims become directories, snapshots become copies of them. Knows no pod.

Stands for an external provisioner, attacher and snapshotter of every driver it is told to play. Which node a volume is attached
to is decided by kube-controller-manager: a directory can be had anywhere, so all that it asks for is done.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lab.parts.cache import Caches
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import ATTACHMENTS, CLAIMS, CONTENTS, SNAPSHOTS, STORAGE_CLASSES, VOLUMES, Kube, Object
from lab.parts.loop import Loop
from lab.parts.pods.scheduler import SELECTED_NODE

PROVISIONER = "volume.kubernetes.io/storage-provisioner"
_PV_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
_CONTENT_FINALIZER = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection"
_BEING_DELETED = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"


class Disks:
    """The directories that stand for volumes and snapshots, by handle. They outlive the cluster unless they are destroyed."""

    def __init__(self, root: Path) -> None:
        self.volumes = root / "volumes"
        self.snapshots = root / "snapshots"
        self._lock = threading.Lock()
        for folder in (self.volumes, self.snapshots):
            folder.mkdir(parents=True, exist_ok=True)

    def make(self, handle: str) -> Path:
        """An empty volume, as a fresh ext4 is: with a `lost+found` that only root may enter."""
        volume = self.volumes / handle
        with self._lock:
            if not volume.exists():
                volume.mkdir(mode=0o755)
                (volume / "lost+found").mkdir(mode=0o700)
        return volume

    def copy(self, source: Path, target: Path) -> None:
        """A copy that appears whole or not at all; owners, modes and attributes are kept."""
        with self._lock:
            if target.exists():
                return
            unfinished = target.with_name(f".{target.name}")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(["cp", "-a", "--", str(source), str(unfinished)], check=True, timeout=600)
            unfinished.rename(target)

    def lose(self) -> None:
        """The machines' disks are gone, and all volumes and snapshots with them."""
        for folder in [*self.volumes.iterdir(), *self.snapshots.iterdir()]:
            self.remove(folder)

    def remove(self, folder: Path) -> None:
        """Remove a volume or a snapshot; one that is gone is no error."""
        with self._lock:
            if folder.exists():
                shutil.rmtree(folder)


class Storage(Loop):
    """Provisions volumes for claims, makes and removes snapshots, removes released volumes."""

    def __init__(
        self, kube: Kube, caches: Caches, knobs: Knobs, journal: WriteJournal, disks: Disks, drivers: frozenset[str]
    ) -> None:
        super().__init__("storage", kube, caches)
        self.disks = disks
        self.drivers = drivers
        self._knobs = knobs
        self._journal = journal
        self._claims = self.cache(CLAIMS)
        self._volumes = self.cache(VOLUMES)
        self._classes = self.cache(STORAGE_CLASSES)
        self._attachments = self.cache(ATTACHMENTS)
        # Their definitions may come later than this loop: it must not wait for these two.
        self._snapshots = caches.of(SNAPSHOTS)
        self._contents = caches.of(CONTENTS)
        self._snapshots.listen(self.kick)
        self._contents.listen(self.kick)
        self._due: dict[str, float] = {}

    def stop(self) -> None:
        """End the loop."""
        self._snapshots.forget(self.kick)
        self._contents.forget(self.kick)
        super().stop()

    def step(self) -> None:
        """Provision, snapshot, clean up: whatever is due."""
        for claim in self._claims.all():
            if self._is_ours(claim):
                self._provision(claim)
        for attachment in self._attachments.all():
            if attachment["spec"]["attacher"] in self.drivers:
                self._attach(attachment)
        for content in self._contents.all():
            if content["spec"].get("driver") in self.drivers:
                self._snapshot(content)
        for volume in self._volumes.all():
            if volume["spec"].get("csi", {}).get("driver") in self.drivers:
                self._release(volume)

    def _is_ours(self, claim: Object) -> bool:
        meta = claim["metadata"]
        annotations = meta.get("annotations", {})
        if (
            annotations.get(PROVISIONER) not in self.drivers
            or claim["spec"].get("volumeName")
            or meta.get("deletionTimestamp")
        ):
            return False
        storage = self._classes.get(claim["spec"].get("storageClassName") or "")
        waits = storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"
        return not waits or SELECTED_NODE in annotations

    def _provision(self, claim: Object) -> None:
        meta = claim["metadata"]
        handle = f"pvc-{meta['uid']}"
        if self._volumes.get(handle) is not None or not self._is_due(handle, self._knobs.provision_delay_s):
            return
        if self._fill(claim, handle):
            volume = self._volume_for(claim, handle)
            if self.tried("create volume", lambda: self.kube.create(VOLUMES, volume)):
                self._journal.wrote("provisioner", "create", f"volume {handle} for {meta['namespace']}/{meta['name']}")

    def _fill(self, claim: Object, handle: str) -> bool:
        """Make the claim's directory from its data source; False while that source is not ready or is not ours to fill."""
        source = claim["spec"].get("dataSourceRef") or claim["spec"].get("dataSource")
        namespace = claim["metadata"]["namespace"]
        if source is None:
            self.disks.make(handle)
            return True
        if source["kind"] == "VolumeSnapshot":
            snapshot = self._snapshots.get(source["name"], namespace)
            status = (snapshot or {}).get("status") or {}
            if not status.get("readyToUse"):
                return False
            content = self._contents.get(status.get("boundVolumeSnapshotContentName", "")) or {}
            found = (content.get("status") or {}).get("snapshotHandle")
            if not found:
                return False
            self.disks.copy(self.disks.snapshots / found, self.disks.volumes / handle)
            return True
        if source["kind"] == "PersistentVolumeClaim":
            origin = self._claims.get(source["name"], namespace)
            if not origin or not origin["spec"].get("volumeName"):
                return False
            self.disks.copy(self.disks.volumes / origin["spec"]["volumeName"], self.disks.volumes / handle)
            return True
        return False  # a populator's kind: an external provisioner leaves such a claim alone

    def _volume_for(self, claim: Object, handle: str) -> Object:
        spec, meta = claim["spec"], claim["metadata"]
        storage = self._classes.get(spec.get("storageClassName") or "") or {}
        driver = meta["annotations"][PROVISIONER]
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": handle,
                "annotations": {"pv.kubernetes.io/provisioned-by": driver},
                "finalizers": [_PV_FINALIZER],
            },
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
                "storageClassName": spec.get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
                "csi": {"driver": driver, "volumeHandle": handle, "fsType": "ext4"},
                "claimRef": {
                    "kind": "PersistentVolumeClaim",
                    "apiVersion": "v1",
                    "namespace": meta["namespace"],
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
            },
        }

    def _attach(self, attachment: Object) -> None:
        meta, attached = attachment["metadata"], (attachment.get("status") or {}).get("attached")
        if attached or meta.get("deletionTimestamp"):
            return
        change: Object = {"status": {"attached": True}}
        where = f"{attachment['spec']['source'].get('persistentVolumeName')} to {attachment['spec']['nodeName']}"
        self._write("attach", where, lambda: self._attachments.put(self.kube.patch(ATTACHMENTS, attachment, change, "status")))

    def _snapshot(self, content: Object) -> None:
        meta = content["metadata"]
        status = content.get("status") or {}
        handle = status.get("snapshotHandle") or f"snap-{meta['uid']}"
        if meta.get("deletionTimestamp"):
            self._remove_snapshot(content, handle)
            return
        source = content["spec"].get("source", {}).get("volumeHandle")
        if (
            not source
            or status.get("readyToUse")
            or not self._is_due(f"snap-{meta['uid']}", self._knobs.snapshot_delay_s)
        ):
            return
        if self._knobs.snapshots_fail:
            change: Object = {
                "status": {"readyToUse": False, "error": {"message": "lab: the storage takes no snapshots"}}
            }
            if status.get("error") is None:
                self._write("fail snapshot", meta["name"], lambda: self.kube.patch(CONTENTS, content, change, "status"))
            return
        volume = self.disks.volumes / source
        if not volume.exists():
            return
        self.disks.copy(volume, self.disks.snapshots / handle)
        # Integer nanoseconds and bytes here; RFC 3339 and a quantity in the VolumeSnapshot, which the controller writes.
        change = {
            "status": {
                "snapshotHandle": handle,
                "creationTime": time.time_ns(),
                "restoreSize": _bytes_in(volume),
                "readyToUse": True,
                "error": None,
            }
        }
        self._write("snapshot ready", meta["name"], lambda: self.kube.patch(CONTENTS, content, change, "status"))

    def _remove_snapshot(self, content: Object, handle: str) -> None:
        meta = content["metadata"]
        being_deleted = meta.get("annotations", {}).get(_BEING_DELETED) == "yes"
        if not being_deleted or _CONTENT_FINALIZER not in meta.get("finalizers", []):
            return
        if content["spec"].get("deletionPolicy") == "Delete":
            self.disks.remove(self.disks.snapshots / handle)
        rest = [f for f in meta["finalizers"] if f != _CONTENT_FINALIZER]
        change: Object = {"metadata": {"finalizers": rest or None, "resourceVersion": meta["resourceVersion"]}}
        self._write("remove snapshot", f"content {meta['name']}", lambda: self.kube.patch(CONTENTS, content, change))

    def _release(self, volume: Object) -> None:
        meta, spec = volume["metadata"], volume["spec"]
        name = meta["name"]
        if meta.get("deletionTimestamp"):
            if meta.get("finalizers") == [_PV_FINALIZER]:
                change: Object = {"metadata": {"finalizers": None, "resourceVersion": meta["resourceVersion"]}}
                self._write("let go", f"volume {name}", lambda: self.kube.patch(VOLUMES, volume, change))
            return
        released = (volume.get("status") or {}).get("phase") == "Released"
        if released and spec.get("persistentVolumeReclaimPolicy") == "Delete":
            self.disks.remove(self.disks.volumes / spec["csi"]["volumeHandle"])
            self._write("delete", f"volume {name}", lambda: self.kube.delete(VOLUMES, volume))

    def _is_due(self, key: str, delay_s: float) -> bool:
        """Whether `delay_s` have passed since this was first asked for."""
        since = self._due.setdefault(key, time.monotonic())
        left = since + delay_s - time.monotonic()
        if left > 0:
            self.again_in(left)
        return left <= 0

    def _write(self, what: str, on: str, act: Callable[[], object]) -> None:
        if self.tried(what, act):
            self._journal.wrote("storage", what, on)


def _bytes_in(folder: Path) -> int:
    """Bytes of all files, at least one: a restoreSize of nothing reads as unknown."""
    return max(1, sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()))
