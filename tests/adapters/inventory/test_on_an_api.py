"""What a real API server lists of volumes; kinds that it does not serve are no obstacle."""

from __future__ import annotations

import pytest

from adapters.inventory.adapter import KubernetesInventory
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import VOLUME
from house.known.inventory import VolumeRecord
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs


def test_a_volume_is_told_with_its_handle(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> None:
    clients = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    client = clients.main()
    csi = {"driver": "csi.lab", "volumeHandle": "handle-inventory", "volumeAttributes": {"pool": "rbd"}}
    client.create(VOLUME, {"metadata": {"name": "pv-inventory"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "inventory", "csi": csi,
        "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "apps", "name": "notes"},
    }})  # fmt: skip
    seen = KubernetesInventory(clients).look()
    client.delete(VOLUME, "pv-inventory")
    clients.close()
    assert [one for one in seen.volumes if one.name == "pv-inventory"] == [
        VolumeRecord(
            "pv-inventory", "apps/notes", "csi.lab", "handle-inventory", "1Gi", "inventory", "Retain", ("ReadWriteOnce",),
            "Filesystem", attributes=(("pool", "rbd"),),
        )
    ]  # fmt: skip
    assert seen.longhorn == ()
