"""A PersistentVolume is written again as the inventory has it, for nobody but us; the claim of ours is for that one alone."""

from __future__ import annotations

import pytest

from adapters.kept.static import aside_claim, volume_of
from adapters.kubernetes.kinds import VOLUME
from engine.errors import PermanentError
from house.known.inventory import VolumeRecord
from tests.adapters.inventory.test_inventory import Object, look

AFFINITY = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
    {"key": "openebs.io/nodename", "operator": "In", "values": ["w-1"]}
]}]}}  # fmt: skip
CSI = {
    "driver": "rook-ceph.rbd.csi.ceph.com", "volumeHandle": "0001-x", "fsType": "ext4",
    "volumeAttributes": {"clusterID": "rook-ceph"},
    "nodeStageSecretRef": {"namespace": "rook-ceph", "name": "csi-node"},
    "controllerExpandSecretRef": {"namespace": "rook-ceph", "name": "csi-provisioner"},
}  # fmt: skip


@pytest.mark.parametrize("source", [
    {"csi": CSI}, {"csi": {"driver": "lvm", "volumeHandle": "h"}, "nodeAffinity": AFFINITY}, {"hostPath": {"path": "/srv"}},
    {"nfs": {"server": "nas.lan", "path": "/tank/a:b"}, "mountOptions": ["nfsvers=4.2", "hard"]}, {"local": {"path": "/var/x"}},
])  # fmt: skip
def test_what_an_inventory_knows_of_a_volume_is_written_as_it_was(source: Object) -> None:
    spec = {
        "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "storageClassName": "fast",
        "persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "apps", "name": "notes", "uid": "1"}, **source,
    }  # fmt: skip
    (record,) = look((VOLUME, {"metadata": {"name": "pv-1"}, "spec": spec})).volumes
    made = volume_of(record, "mark", "{}")
    ref = made["spec"].pop("claimRef")
    assert (ref["namespace"], ref["name"], "uid" in ref) == ("apps", "blackstart-notes", False)
    assert made["spec"].pop("persistentVolumeReclaimPolicy") == "Retain"
    assert made["spec"] == {key: value for key, value in spec.items() if key not in ("claimRef", "persistentVolumeReclaimPolicy")}
    assert made["metadata"]["annotations"]["mark"] == "{}"


def test_the_claim_of_ours_is_bound_to_that_volume_by_name() -> None:
    record = VolumeRecord("pv-1", "apps/notes", "d", "h", "5Gi", "", "Retain", ("ReadWriteMany",), "Block")
    claim = aside_claim(volume_of(record, "mark", "{}"), "notes")
    spec = claim["spec"]
    assert (spec["volumeName"], spec["storageClassName"], spec["volumeMode"]) == ("pv-1", "", "Block")
    assert spec["resources"]["requests"]["storage"] == "5Gi"


@pytest.mark.parametrize("driver", ["iscsi", "other", ""])
def test_a_kind_that_is_not_written_down_whole_is_for_a_person(driver: str) -> None:
    with pytest.raises(PermanentError, match="the inventory does not have it whole"):
        volume_of(VolumeRecord("pv-1", "apps/notes", driver, "h", "5Gi"), "mark", "{}")
